"""The two scalars beyond GraphQL's own."""

from datetime import datetime, timezone
from typing import Any, NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

DateTime = NewType("DateTime", datetime)
JSON = NewType("JSON", object)


def _in_rfc3339(value: datetime) -> str:
    precision = "milliseconds" if value.microsecond else "seconds"
    text = value.astimezone(timezone.utc).replace(tzinfo=None).isoformat(timespec=precision)
    return f"{text}Z"


def _as_it_is(value: Any) -> Any:
    return value


SCALARS: dict[object, ScalarDefinition] = {
    DateTime: strawberry.scalar(
        name="DateTime",
        description="A point in time by RFC 3339, always in UTC: 2031-03-04T05:06:07Z.",
        specified_by_url="https://scalars.graphql.org/andimarek/date-time.html",
        serialize=_in_rfc3339,
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
        serialize=_as_it_is,
        parse_value=_as_it_is,
    ),
}
