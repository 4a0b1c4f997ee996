"""Documents that measure exactly so much of one thing, whatever they measure of the rest."""

from collections.abc import Callable, Mapping


def _operations(number: int) -> str:
    return " ".join(f"query Q{one} {{ __typename }}" for one in range(number))


def _fragments(number: int) -> str:
    spreads = " ".join(f"...F{one}" for one in range(number))
    definitions = " ".join(f"fragment F{one} on Query {{ a{one}: __typename }}" for one in range(number))
    return f"query Q0 {{ __typename {spreads} }} {definitions}".replace("a0: ", "").replace("a1: ", "")


def _variables(number: int) -> str:
    definitions = " ".join(f"$v{one}: ID!" for one in range(number))
    return f"query Q0({definitions}) {{ nodes(ids: [{' '.join(f'$v{one}' for one in range(number))}]) {{ id }} }}"


def _aliases(number: int) -> str:
    return f"query Q0 {{ contacts {{ {' '.join(f'a{one}: totalCount' for one in range(number))} totalCount }} }}"


def _directives(number: int) -> str:
    return f"query Q0 {{ contacts {{ {'totalCount @skip(if: false) ' * number} totalCount }} }}"


def _directives_at_one_place(number: int) -> str:
    return f"query Q0 {{ __typename {'@aa ' * number} }}"


def _depth(number: int) -> str:
    return "query Q0 { contacts " + "{ contacts " * (number - 1) + "}" * number


def _lists(number: int) -> str:
    nested = "records { contact { " * (number - 1) + "id" + " } }" * (number - 1)
    return f"query Q0 {{ contacts {{ nodes {{ {nested} }} }} }}"


def _self_reference(number: int) -> str:
    nested = "records { contact { " * number + "id" + " } }" * number
    return f'query Q0 {{ contact(id: "a") {{ {nested} }} }}'


def _introspection(number: int) -> str:
    nested = "fields { type { " * number + "name" + " } }" * number
    return f"query Q0 {{ __schema {{ types {{ {nested} }} }} }}"


def _root_fields(number: int) -> str:
    return f"query Q0 {{ {' '.join(f'a{one}: __typename' for one in range(number))} }}"


def _repeated_names(number: int) -> str:
    return f"query Q0 {{ {'__typename ' * number} }}"


# By the name of the setting.
MEASURING: Mapping[str, Callable[[int], str]] = {
    "max_operations": _operations,
    "max_fragments": _fragments,
    "max_variables": _variables,
    "max_aliases": _aliases,
    "max_directives": _directives,
    "max_directives_per_node": _directives_at_one_place,
    "max_depth": _depth,
    "max_list_depth": _lists,
    "max_self_reference": _self_reference,
    "max_introspection_depth": _introspection,
    "max_root_fields": _root_fields,
    "max_repeated_names": _repeated_names,
}
# A limit above what any document here measures, for the limits that are not asked about.
GENEROUS = {
    "max_depth": 100,
    "max_list_depth": 20,
    "max_self_reference": 20,
    "max_introspection_depth": 10,
    "max_aliases": 10_000,
    "max_repeated_names": 10_000,
    "max_merged_fields": 1_000_000,
    "max_directives": 10_000,
    "max_directives_per_node": 100,
    "max_root_fields": 1_000,
    "max_operations": 1_000,
    "max_fragments": 1_000,
    "max_variables": 1_000,
}


def twice(levels: int, *, type_: str = "Query", around: tuple[str, str] = ("", "")) -> str:
    """Fragments that each spread the next one twice: 2 to the power of `levels` if each were looked at again."""
    before, after = around
    spread = f"{before} ...F%d {after}"
    return " ".join(
        f"fragment F{one} on {type_} {{ a: {spread % (one + 1)} b: {spread % (one + 1)} }}"
        if before
        else f"fragment F{one} on {type_} {{ ...F{one + 1} ...F{one + 1} }}"
        for one in range(levels)
    )
