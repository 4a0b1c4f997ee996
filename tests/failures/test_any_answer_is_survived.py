"""Whatever a provider answers with 200 is either a contact or that provider's failure, never a mistake of ours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.connectors.base import Connector, PageRequest, RecordPage
from gateway.connectors.cometly.connector import CometlyConnector
from gateway.connectors.cometly.slots import Slots
from gateway.connectors.gately.connector import GatelyConnector
from gateway.connectors.klen.connector import KlenConnector
from gateway.domain.contact import CONTACT_FIELDS, Record
from gateway.domain.errors import ProviderFailure
from gateway.domain.exchange import Call, Reply
from tests.conftest import Gateway
from tests.failures.outcomes import PROVIDERS, assert_fit_for_people, contact_id
from tests.failures.scripted_provider import ScriptedProvider, http_reply

Scripted = tuple[Gateway, ScriptedProvider]


class OneAnswer:
    """An upstream that answers every call with the same body."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def send(self, call: Call) -> Reply:
        return Reply(status=200, headers={}, body=self._body, latency_ms=1)


SLOTS = {"tier": "profile_field_1", "seats": "profile_field_16", "renewal": "profile_field_26"}
BUILD: dict[str, Callable[[Any], Connector]] = {
    "GATELY": GatelyConnector,
    "KLEN": KlenConnector,
    "COMETLY": lambda upstream: CometlyConnector(upstream, slots=Slots(SLOTS), time_zone=ZoneInfo("UTC")),
}
NAMES: dict[str, list[str]] = {
    "GATELY": [
        *("name", "first_name", "email", "phone", "mobile", "company", "status", "notes", "city", "zip", "tags"),
        *("custom_fields", "unsubscribed", "created_at", "updated_at", "last_contacted_at"),
    ],
    "KLEN": [
        *("first_name", "full_name", "email", "company", "stage", "status", "created_date", "last_call_date", "tags"),
        *("website", "address", "phone_numbers", "recent_notes", "custom_context", "industry_context", "phone"),
    ],
    "COMETLY": [*("emails", "phones", "names", "locations", "custom_fields", "email", "name", "all_emails")],
}
TIMES = st.sampled_from(
    [
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
        "2031-02-30T00:00:00Z",
        "2031-03-04T05:06:07",
        "2031-03-04T05:06:60Z",
        "2031-03-04",
        "",
    ]
)
TEXTS = st.text(max_size=20) | TIMES | st.sampled_from(["\x00", "\u202e", "+", "+358400000001", "a@b", "@", " "])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
SHAPES = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("id", "name", "value", "email", "phone_type", "content", "street", "country"), SCALARS),
        "phone_number": TEXTS,
        "primary": st.booleans() | SCALARS,
        "do_not_call": st.booleans() | SCALARS,
        **{f"profile_field_{number}": SCALARS for number in (1, 16, 26)},
    },
)
VALUES = SCALARS | SHAPES | st.lists(SCALARS | SHAPES, max_size=3)
IDS = st.integers(1, 10**20) | st.sampled_from(["6f3d0001-0000-4000-8000-000000000001", "", "x" * 300])


def contacts_of(provider: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"id": IDS}, optional=dict.fromkeys(NAMES[provider], VALUES))


def _read(provider: str, body: bytes) -> None:
    try:
        record = asyncio.run(BUILD[provider](OneAnswer(body)).read("1"))
    except ProviderFailure as failure:
        assert_fit_for_people(str(failure))
        return
    assert isinstance(record, Record)


def _list(provider: str, contact: dict[str, Any]) -> None:
    body = {"pagination": {"page": 1, "pages": 1, "total": 1}, "count": 1, "pages": 1}
    body["data" if provider == "COMETLY" else "contacts"] = [contact]
    try:
        request = PageRequest(limit=5, wanted=frozenset(CONTACT_FIELDS))
        page = asyncio.run(BUILD[provider](OneAnswer(json.dumps(body).encode())).list_page(request))
    except ProviderFailure as failure:
        assert_fit_for_people(str(failure))
        return
    assert isinstance(page, RecordPage)


@settings(max_examples=120)
@example({"id": "1", "created_at": "0001-01-01T00:00:00+14:00"})
@example({"id": "1", "created_at": "9999-12-31T23:59:59-12:00"})
@given(contacts_of("GATELY"))
def test_any_gately_contact(contact: dict[str, Any]) -> None:
    _read("GATELY", json.dumps(contact).encode())
    _list("GATELY", contact)


@settings(max_examples=120)
@example({"id": 1, "created_date": "0001-01-01T00:00:00+14:00"})
@given(contacts_of("KLEN"))
def test_any_klen_contact(contact: dict[str, Any]) -> None:
    _read("KLEN", json.dumps(contact).encode())
    _list("KLEN", contact)


@settings(max_examples=120)
@example({"id": 1, "custom_fields": {"profile_field_16": "1e999999", "profile_field_26": "2031-99-99"}})
@given(contacts_of("COMETLY"))
def test_any_cometly_contact(contact: dict[str, Any]) -> None:
    _read("COMETLY", json.dumps(contact).encode())
    _list("COMETLY", contact)


@pytest.mark.parametrize("provider", PROVIDERS)
@settings(max_examples=60)
@given(body=st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes(provider: str, body: bytes) -> None:
    _read(provider, body)


EVERYTHING = """query ($id: ID!) { contact(id: $id) { id name firstName lastName emails { address normalized primary }
  phones { number e164 type primary doNotCall } addresses { formatted country } company website status stage tags notes
  customFields unsubscribed externalId createdAt updatedAt lastContactedAt
  records { remoteId providerStatus raw fetchedAt } } }"""
ODD_BODIES = [
    b'{"id": %(id)s, "name": "\\ud800", "full_name": "\\ud800", "names": ["\\udfff"]}',
    b'{"id": %(id)s, "name": "a\\u0000b", "full_name": "a\\u0000b", "names": ["a\\u0000b"]}',
    b'{"id": %(id)s, "created_at": "0001-01-01T00:00:00Z", "created_date": "9999-12-31T23:59:59Z"}',
    b'{"id": %(id)s, "created_at": "0001-01-01T00:00:00+14:00", "created_date": "0001-01-01T00:00:00+14:00"}',
    b'{"id": %(id)s, "custom_fields": {"a": 1e400, "profile_field_16": 1e400}, "custom_context": {"a": 1e400}}',
    b'{"id": %(id)s, "custom_fields": {"a": 123456789012345678901}, "custom_context": {"a": 123456789012345678901}}',
    b'{"id": %(id)s, "name": "one", "name": "two", "id": %(id)s}',
    b'{"id": %(id)s, "custom_fields": ' + b'{"a":' * 500 + b"1" + b"}" * 500 + b"}",
    b'{"id": %(id)s, "custom_context": ' + b"[" * 2000 + b"]" * 2000 + b"}",
    b'{"id": %(id)s, "junk": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'\xef\xbb\xbf{"id": %(id)s}',
    b'{"id": %(id)s} {"id": %(id)s}',
    b'{"id": -1}',
    b'{"id": %(id)s, "name": "' + b"n" * 1_000_000 + b'"}',
]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("body", ODD_BODIES, ids=range(len(ODD_BODIES)))
def test_an_odd_body_is_answered_through_the_whole_gateway(body: bytes, provider: str, scripted: Scripted) -> None:
    gateway, upstream = scripted
    known = b'"6f3d0001-0000-4000-8000-000000000001"' if provider == "GATELY" else b"9001"
    upstream.always(http_reply(200, body.replace(b"%(id)s", known)))
    answer = gateway.send(EVERYTHING, id=contact_id(provider))
    codes = {error["extensions"]["code"] for error in answer.get("errors", [])}
    assert codes <= {"PROVIDER_BAD_RESPONSE"}
    assert answer["data"]["contact"]["id"]
