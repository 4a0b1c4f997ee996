"""The shape of a document: how much it holds, how deep it nests, how often it repeats itself."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from graphql import DocumentNode, GraphQLSchema, Node, OperationDefinitionNode

from gateway.http.settings import DocumentLimits
from resolvers.limits.counting import count
from resolvers.limits.merging import Merger, merge
from resolvers.limits.nesting import measure
from resolvers.refused import LimitExceeded

# The largest double has 309. Python refuses to read an integer of more than 4300, and GraphQL-core asks it to.
_MAX_DIGITS = 400


@dataclass(frozen=True, slots=True)
class _Measured:
    """`limit` is the limit's name in the error, its setting's in camel case."""

    limit: str
    allowed: int
    measured: int
    message: str
    nodes: Collection[Node] = ()


def refuse_too_large(
    document: DocumentNode, chosen: OperationDefinitionNode, schema: GraphQLSchema, limits: DocumentLimits
) -> None:
    """
    Raises:
        LimitExceeded: for the first limit that is passed. The document need not be valid.
    """
    # Each is worked out only when those before it hold: the cheap ones come first.
    for one in _every_measure(document, chosen, schema, limits):
        if one.measured > one.allowed:
            raise LimitExceeded(
                one.limit,
                allowed=one.allowed,
                measured=one.measured,
                message=f"{one.message.format(one.measured)}; at most {one.allowed} {_is(one.allowed)} allowed.",
                nodes=one.nodes,
            )


def _every_measure(
    document: DocumentNode, chosen: OperationDefinitionNode, schema: GraphQLSchema, limits: DocumentLimits
) -> Iterator[_Measured]:
    yield from _counted(document, limits)
    yield from _nested(document, chosen, schema, limits)
    yield from _merged(document, chosen, limits)


def _counted(document: DocumentNode, limits: DocumentLimits) -> Iterator[_Measured]:
    counts = count(document)
    yield _Measured("maxOperations", limits.max_operations, counts.operations, "The document has {} operations")
    yield _Measured("maxFragments", limits.max_fragments, counts.fragments, "The document defines {} fragments")
    yield _Measured("maxVariables", limits.max_variables, counts.variables, "The document defines {} variables")
    yield _Measured("maxAliases", limits.max_aliases, counts.aliases, "The document has {} aliases")
    yield _Measured("maxDirectives", limits.max_directives, counts.directives, "The document has {} directives")
    yield _Measured(
        "maxDirectivesPerNode",
        limits.max_directives_per_node,
        counts.most_directives,
        "One place has {} directives",
        counts.most_directives_at,
    )
    yield _Measured("maxDigits", _MAX_DIGITS, counts.most_digits, "A number has {} digits", counts.most_digits_at)


def _nested(
    document: DocumentNode, chosen: OperationDefinitionNode, schema: GraphQLSchema, limits: DocumentLimits
) -> Iterator[_Measured]:
    nesting = measure(document, chosen, schema)
    at = (chosen,)
    yield _Measured("maxDepth", limits.max_depth, nesting.depth, "The operation nests {} fields deep", at)
    yield _Measured("maxListDepth", limits.max_list_depth, nesting.lists, "The operation nests {} lists", at)
    coordinate, times = nesting.most_within
    message = f"{coordinate} stands {{}} times on one path"
    yield _Measured("maxSelfReference", limits.max_self_reference, times, message, at)
    message = "The operation nests {} lists of fields or types of the schema"
    yield _Measured("maxIntrospectionDepth", limits.max_introspection_depth, nesting.introspection, message, at)


def _merged(document: DocumentNode, chosen: OperationDefinitionNode, limits: DocumentLimits) -> Iterator[_Measured]:
    root_fields = len(Merger(document).collect([chosen.selection_set]))
    message = "The operation has {} fields at its root"
    yield _Measured("maxRootFields", limits.max_root_fields, root_fields, message, (chosen,))
    merged = merge(document, at_most=limits.max_merged_fields)
    message = "With every fragment unfolded the document has {} fields or more"
    yield _Measured("maxMergedFields", limits.max_merged_fields, merged.visited, message)
    message = "One name of the answer is selected {} times at one place"
    yield _Measured("maxRepeatedNames", limits.max_repeated_names, merged.most, message, merged.most_at[:1])


def _is(number: int) -> str:
    return "is" if number == 1 else "are"
