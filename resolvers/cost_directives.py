"""What a field costs and how long its lists are, as directives that are printed into the schema.

Source: IBM GraphQL Cost Directives specification, https://ibm.github.io/graphql-specs/cost-spec.html.
"""

import strawberry
from strawberry import UNSET
from strawberry.schema_directive import Location


@strawberry.schema_directive(
    name="cost",
    locations=[
        Location.ARGUMENT_DEFINITION,
        Location.ENUM,
        Location.FIELD_DEFINITION,
        Location.INPUT_FIELD_DEFINITION,
        Location.OBJECT,
        Location.SCALAR,
    ],
    description="What one appearance of this adds to the cost of an operation. Without it, objects and input objects"
    " cost 1, everything else nothing.",
)
class Cost:
    # Strawberry has no place for the description of a directive's argument, so the directive's tells about it.
    weight: str


@strawberry.schema_directive(
    name="listSize",
    locations=[Location.FIELD_DEFINITION],
    description="How many items a list has at most: what the slicing arguments say, else `assumedSize`."
    " The list is the field itself, or the `sizedFields` below it.",
)
class ListSize:
    assumed_size: int | None = UNSET
    slicing_arguments: list[str] | None = UNSET
    sized_fields: list[str] | None = UNSET
    require_one_slicing_argument: bool | None = True


def cost(weight: float) -> Cost:
    return Cost(weight=f"{weight:g}")


def at_most(items: int) -> ListSize:
    # Unset, the argument is not printed; its default says the same.
    return ListSize(assumed_size=items, require_one_slicing_argument=UNSET)


def sliced_by(argument: str, *fields: str) -> ListSize:
    """An argument with a default, which counts where the operation leaves it out."""
    return ListSize(slicing_arguments=[argument], sized_fields=list(fields), require_one_slicing_argument=False)
