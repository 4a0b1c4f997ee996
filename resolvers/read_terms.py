"""The arguments with which a caller says how old an answer may be and how long it may take."""

from typing import Annotated

import strawberry
from msgspec.structs import replace

from gateway.contacts.terms import Terms
from gateway.domain.errors import InputProblem, InvalidInput
from resolvers.context import Info

MAX_AGE_SECONDS = 86_400
MAX_WAIT_MS = 600_000

MaxAgeSeconds = Annotated[
    int | None,
    strawberry.argument(
        description="No record older than so many seconds, 0 to 86400; 0 asks every provider anew. Left out: as the"
        " gateway is set up. Lists and look-ups themselves are always asked for."
    ),
]
MaxWaitMs = Annotated[
    int | None,
    strawberry.argument(
        description="Answer after so many milliseconds with what has arrived, 0 to 600000; a provider that has not"
        " answered is PENDING in sources. 0: only what is known at once. Left out: wait for everybody."
    ),
]


def read_terms(info: Info, max_age_seconds: int | None, max_wait_ms: int | None) -> Terms:
    """The terms of the field that is being resolved; its time begins now.

    Raises:
        InvalidInput: at the argument.
    """
    if max_age_seconds is None and max_wait_ms is None:
        return info.context.terms
    problems = [
        InputProblem(path=(name,), code="OUT_OF_RANGE", message=f"must be 0 to {most}, or left out")
        for name, value, most in (
            ("maxAgeSeconds", max_age_seconds, MAX_AGE_SECONDS),
            ("maxWaitMs", max_wait_ms, MAX_WAIT_MS),
        )
        if value is not None and not 0 <= value <= most
    ]
    if problems:
        raise InvalidInput(*problems)
    terms = info.context.terms
    until = None if max_wait_ms is None else terms.calls.clocks.monotonic() + max_wait_ms / 1000
    return replace(terms, max_age_seconds=max_age_seconds, until=until)
