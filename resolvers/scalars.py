"""The two scalars beyond GraphQL's own."""

import re
from datetime import datetime, timezone
from typing import Any, NewType

import strawberry
from graphql import GraphQLError
from msgspec import to_builtins
from strawberry.types.scalar import ScalarDefinition

from resolvers.plans.shown import UNSURE, Mostly, show_surely

DateTime = NewType("DateTime", datetime)
JSON = NewType("JSON", object)

# RFC 3339, section 5.6.
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def in_rfc3339(value: datetime) -> str:
    in_utc = value if value.tzinfo is timezone.utc else value.astimezone(timezone.utc)
    # As isoformat does, in a tenth of its time.
    text: str = to_builtins(in_utc)
    return f"{text[: -len('000Z')]}Z" if in_utc.microsecond else text


def _from_rfc3339(value: Any) -> datetime:
    """Any offset is taken; a time without one could be anybody's."""
    wanted = "DateTime must be a text by RFC 3339, such as 2031-03-04T05:06:07Z."
    if not isinstance(value, str) or not _RFC3339.fullmatch(value):
        raise GraphQLError(wanted)
    try:
        return datetime.fromisoformat(value.upper()).astimezone(timezone.utc)
    except (ValueError, OverflowError):
        raise GraphQLError(wanted) from None


def _as_it_is(value: Any) -> Any:
    return value


def _surely(value: datetime) -> Any:
    """What is in another zone may not fit into the calendar."""
    return in_rfc3339(value) if value.tzinfo is timezone.utc else UNSURE


_WHOLE_SECONDS_IN_UTC = (("tzinfo", timezone.utc), ("microsecond", 0))

show_surely(in_rfc3339, {datetime: Mostly(_WHOLE_SECONDS_IN_UTC, to_builtins, _surely)})
show_surely(_as_it_is, dict.fromkeys((dict, list, str, int, float, bool)))

SCALARS: dict[object, ScalarDefinition] = {
    DateTime: strawberry.scalar(
        name="DateTime",
        description="A point in time by RFC 3339, always in UTC: 2031-03-04T05:06:07Z.",
        specified_by_url="https://scalars.graphql.org/andimarek/date-time.html",
        serialize=in_rfc3339,
        parse_value=_from_rfc3339,
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
        serialize=_as_it_is,
        parse_value=_as_it_is,
    ),
}
