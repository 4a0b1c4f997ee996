"""Magic addresses: `<word>.<provider>@fault.test` makes that one provider misbehave.

They work in any create or update whose body carries the address and in a look-up
by it, so that people can meet every failure from GraphiQL.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from gateway.sandbox.exchange import Received
from gateway.sandbox.faults import Fault

# Without the look-behind a long text without an address takes quadratic time.
_ADDRESS = re.compile(r"(?<![a-z0-9-])([a-z0-9-]+)\.([a-z]+)@fault\.test", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Magic:
    fault: Fault
    description: str


def _status(status: int, description: str, *, seconds: int | None = None, date: bool = False) -> Magic:
    form: Literal["seconds", "date"] = "date" if date else "seconds"
    fault = Fault(kind="status", status=status, retry_after_seconds=seconds, retry_after_form=form)
    return Magic(fault, description)


MAGIC: dict[str, Magic] = {
    "400": _status(400, "refuses the input with 400"),
    "401": _status(401, "refuses the key"),
    "403": _status(403, "forbids the call"),
    "404": _status(404, "answers not found"),
    "408": _status(408, "answers request timeout"),
    "409": _status(409, "answers conflict"),
    "410": _status(410, "answers gone"),
    "422": _status(422, "refuses the input with 422"),
    "429": _status(429, "over the rate limit, Retry-After 30 seconds", seconds=30),
    "429-date": _status(429, "over the rate limit, Retry-After as a date 30 seconds on", seconds=30, date=True),
    "429-bare": _status(429, "over the rate limit, without Retry-After"),
    "500": _status(500, "fails with 500, nothing applied"),
    "500-after": Magic(Fault(kind="status", status=500, applied=True), "applies the write, then fails with 500"),
    "502": _status(502, "fails with 502, nothing applied"),
    "503": _status(503, "unavailable, without Retry-After"),
    "503-retry": _status(503, "unavailable, Retry-After 30 seconds", seconds=30),
    "504": _status(504, "gateway timeout, nothing applied"),
    "flaky": Magic(
        Fault(kind="status", status=503, retry_after_seconds=0, count=1),
        "unavailable for the first request with this address, well afterwards",
    ),
    "hang": Magic(Fault(kind="hang"), "never answers, nothing applied"),
    "slow": Magic(Fault(kind="slow", delay_ms=2000), "applies at once and answers after two seconds"),
    "slow-after": Magic(Fault(kind="slow", delay_ms=20_000), "applies at once and answers far too late (20 seconds)"),
    "drip": Magic(Fault(kind="drip", delay_ms=500), "applies and answers four bytes every half second"),
    "drop-before": Magic(Fault(kind="drop_before"), "closes the connection, nothing applied"),
    "drop-after": Magic(Fault(kind="drop_after"), "applies the write, then closes the connection"),
    "lost-answer": Magic(
        Fault(kind="drop_after", operation="create"),
        "applies a creation, then closes the connection; everything else works, so that it can be found",
    ),
    "lost-request": Magic(
        Fault(kind="drop_before", operation="create"),
        "closes the connection of a creation, nothing applied; everything else works",
    ),
    "html": Magic(Fault(kind="html"), "applies the write and answers an HTML page"),
    "cut-json": Magic(Fault(kind="cut_json"), "applies the write and answers half a JSON document"),
    "wrong-shape": Magic(Fault(kind="wrong_shape"), "applies the write and answers JSON of a wrong shape"),
    "no-id": Magic(Fault(kind="no_id"), "applies the write and answers without the id"),
    "huge": Magic(Fault(kind="huge"), "applies the write and answers more than 8 MiB"),
    "redirect": Magic(Fault(kind="redirect"), "redirects elsewhere, nothing applied"),
}


def magic_words(received: Received, provider: str) -> list[str]:
    """The fault words addressed to this provider, in the body or in the search."""
    text = received.body.decode("utf-8", "replace") + "\n" + received.query.get("search", "")
    return [word.lower() for word, whom in _ADDRESS.findall(text) if whom.lower() == provider and word.lower() in MAGIC]
