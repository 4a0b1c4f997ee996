"""A mistake of ours at one provider is that provider's failure, and hides nothing of what the others said."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.connectors.gately.connector import GatelyConnector
from gateway.sandbox.seed.landmarks import EVERYWHERE_EMAIL
from tests.conftest import Gateway

SOURCES = "sources { provider state error { code } }"
FIELDS = {
    "list_page": "contacts(first: 6{terms}) {{ found: nodes {{ records {{ provider }} }} {sources} }}",
    "find_by_email": 'contactsByEmail(email: "{email}"{terms}) {{ found: contacts {{ name }} {sources} }}',
}


@pytest.mark.parametrize("terms", ["", ", maxWaitMs: 60000"], ids=["waits", "waits-a-minute"])
@pytest.mark.parametrize("asked", FIELDS)
def test_it_is_the_failure_of_that_provider(
    start_gateway: Callable[..., Gateway], monkeypatch: pytest.MonkeyPatch, asked: str, terms: str
) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(GatelyConnector, asked, broken)
    field = FIELDS[asked].format(terms=terms, sources=SOURCES, email=EVERYWHERE_EMAIL)

    (answer,) = start_gateway().send(f"{{ {field} }}")["data"].values()

    sources = {
        source["provider"]: (source["state"], (source["error"] or {}).get("code")) for source in answer["sources"]
    }
    assert (sources["GATELY"], sources["KLEN"]) == (("FAILED", "PROVIDER_ERROR"), ("OK", None))
    assert [one for one in answer["found"] if one]
