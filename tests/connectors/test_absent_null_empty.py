"""Left out, null and a value are three cases for every field that an update takes, down to the wire."""

from typing import Any

import pytest

from gateway.connectors.registry import REGISTRY
from gateway.connectors.screening import screen
from gateway.domain.changes import Changes, WantedCustomFields, WantedTags
from gateway.domain.contact import Field, Provider
from gateway.domain.errors import ClearUnsupported
from gateway.domain.normalise import read_patch
from tests.connectors.samples import SAMPLES, SECOND

REFUSED = "refused"
ADDRESS = ("address", "city", "state", "zip_code", "country")

# For each field: the writes for SECOND's value and for null, on the full record of samples.py.
# A write is the end of its path and its body; REFUSED stands for UNSUPPORTED_CLEAR without a call.
WIRE: dict[Provider, dict[Field, tuple[Any, Any]]] = {
    Provider.GATELY: {
        Field.NAME: (
            [("", {"name": "Noor Haddad", "first_name": "Noor", "last_name": "Haddad"})],
            REFUSED,
        ),
        Field.FIRST_NAME: (
            [("", {"first_name": "Noor", "name": "Noor Aalto"})],
            [("", {"first_name": None, "name": "Aalto"})],
        ),
        Field.LAST_NAME: (
            [("", {"last_name": "Haddad", "name": "Ines Haddad"})],
            [("", {"last_name": None, "name": "Ines"})],
        ),
        Field.EMAILS: ([("", {"email": "noor@example.test"})], REFUSED),
        Field.PHONES: (
            [("", {"mobile": "+353210000001", "phone": None})],
            [("", {"mobile": None, "phone": None})],
        ),
        Field.ADDRESSES: ([("", {"city": "Turku", "state": None, "zip": None, "country": "FI"})], REFUSED),
        Field.COMPANY: ([("", {"company": "Harbour Ltd"})], [("", {"company": None})]),
        Field.STATUS: ([("", {"status": "new"})], REFUSED),
        Field.TAGS: ([("", {"tags": ["New"]})], [("", {"tags": []})]),
        Field.NOTES: ([("", {"notes": "Trial ended"})], [("", {"notes": None})]),
        Field.CUSTOM_FIELDS: ([("", {"custom_fields": {"tier": "silver"}})], [("", {"custom_fields": {}})]),
        Field.UNSUBSCRIBED: ([("/unsubscribes", {})], REFUSED),
    },
    Provider.COMETLY: {
        Field.NAME: ([("", {"names": ["Noor Haddad", "Ines Aalto"]})], [("", {"names": []})]),
        Field.FIRST_NAME: ([("", {"names": ["Noor Aalto", "Ines Aalto"]})], [("", {"names": ["Aalto", "Ines Aalto"]})]),
        Field.LAST_NAME: ([("", {"names": ["Ines Haddad", "Ines Aalto"]})], [("", {"names": ["Ines", "Ines Aalto"]})]),
        Field.EMAILS: ([("", {"emails": ["noor@example.test"]})], [("", {"emails": []})]),
        Field.PHONES: ([("", {"phones": ["+353210000001"]})], [("", {"phones": []})]),
        Field.ADDRESSES: ([("", {"locations": ["5 Quay Road, Turku, FI"]})], [("", {"locations": []})]),
        Field.CUSTOM_FIELDS: ([("", {"custom_fields": {"profile_field_1": "silver"}})], [("", {"custom_fields": {}})]),
    },
    Provider.KLEN: {
        Field.NAME: ([("/update", {"first_name": "Noor", "last_name": "Haddad"})], REFUSED),
        Field.FIRST_NAME: ([("/update", {"first_name": "Noor"})], REFUSED),
        Field.LAST_NAME: ([("/update", {"last_name": "Haddad"})], [("/update", {"last_name": None})]),
        Field.EMAILS: ([("/update", {"email": "noor@example.test"})], [("/update", {"email": None})]),
        Field.PHONES: (
            [
                (
                    "/update",
                    {"phone_numbers": [{"phone_number": "+353210000001", "phone_type": "mobile", "primary": True}]},
                )
            ],
            REFUSED,
        ),
        Field.ADDRESSES: (
            [
                (
                    "/update",
                    {"address": "5 Quay Road", "city": "Turku", "state": None, "zip_code": None, "country": "FI"},
                )
            ],
            [("/update", dict.fromkeys(ADDRESS))],
        ),
        Field.COMPANY: ([("/update", {"company": "Harbour Ltd"})], [("/update", {"company": None})]),
        Field.WEBSITE: ([("/update", {"website": "https://harbour.test"})], [("/update", {"website": None})]),
        Field.STATUS: ([("/update", {"status": "not_contacted"})], REFUSED),
        Field.STAGE: ([("/update", {"stage": "customer"})], REFUSED),
        Field.TAGS: ([("/update", {"tags": ["New"]})], [("/update", {"tags": []})]),
        Field.CUSTOM_FIELDS: (
            [("/update", {"custom_context": {"tier": "silver"}})],
            [("/update", {"custom_context": {}})],
        ),
        Field.KLEN_STATUS: ([("/update", {"status": "not_contacted"})], REFUSED),
        Field.KLEN_TEAM_ID: ([("/update", {"team_id": 8})], [("/update", {"team_id": None})]),
        Field.KLEN_INDUSTRY_CONTEXT: (
            [("/update", {"industry_context": {"sector": "rail"}})],
            [("/update", {"industry_context": {}})],
        ),
    },
}

CASES = [(entry, field) for entry in REGISTRY for field in WIRE[entry.provider]]
UPDATABLE = pytest.mark.parametrize(
    ("registration", "field"),
    CASES,
    ids=[f"{entry.provider}-{field}" for entry, field in CASES],
    indirect=["registration"],
)
EMPTY = {
    Field.EMAILS: (),
    Field.PHONES: (),
    Field.ADDRESSES: (),
    Field.TAGS: WantedTags(whole=()),
    Field.CUSTOM_FIELDS: WantedCustomFields(values={}, merge=False),
    Field.KLEN_INDUSTRY_CONTEXT: {},
}
WITH_EMPTY = [(entry, field) for entry, field in CASES if field in EMPTY]


def test_the_table_holds_exactly_the_updatable_fields(registration):
    updatable = {field for field, can in registration.capabilities.fields.items() if can.updatable}
    assert set(WIRE[registration.provider]) == updatable


@pytest.fixture
def write(registration, connector, sandbox, log, run):
    """Sends what a caller asks to the full record; the writes as the table has them."""
    remote_id = SAMPLES[registration.provider].add_full_record(sandbox)

    def send(**asked: Any) -> Any:
        screened = screen(read_patch(Changes(**asked)), registration.capabilities)
        if screened.refusal:
            assert type(screened.refusal) is ClearUnsupported
            return REFUSED
        run(connector.update(remote_id, screened.changes))
        return [(call.split()[1].removeprefix(f"/contacts/{remote_id}"), body) for call, body in log.writes]

    return send


@UPDATABLE
def test_a_value_is_sent(registration, field, write):
    assert write(**{field.attribute: SECOND[field]}) == WIRE[registration.provider][field][0]


@UPDATABLE
def test_null_clears_or_is_refused(registration, field, write):
    assert write(**{field.attribute: None}) == WIRE[registration.provider][field][1]


@pytest.mark.parametrize(
    ("registration", "field"),
    WITH_EMPTY,
    ids=[f"{entry.provider}-{field}" for entry, field in WITH_EMPTY],
    indirect=["registration"],
)
def test_empty_clears_like_null(registration, field, write):
    assert write(**{field.attribute: EMPTY[field]}) == WIRE[registration.provider][field][1]


@UPDATABLE
def test_what_is_left_out_is_not_sent(registration, field, write):
    """Another field is written instead; no key of the one left out may be among what is sent."""
    other = Field.EMAILS if field is not Field.EMAILS else Field.PHONES
    sent = write(**{other.attribute: SECOND[other]})
    assert sent == WIRE[registration.provider][other][0]
    keys = {key for _, body in sent for key in body or ()}
    assert keys.isdisjoint({key for _, body in WIRE[registration.provider][field][0] for key in body or ()})
