"""Every form of error body in the notes is read, and none can break the reading."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.connectors.base import PageRequest
from gateway.connectors.cometly.dialect import CometlyDialect
from gateway.connectors.gately.dialect import GatelyDialect
from gateway.connectors.klen.dialect import KlenDialect
from gateway.domain.changes import Draft
from gateway.domain.contact import Provider
from gateway.domain.errors import InputRefused
from gateway.domain.exchange import Call, CallKind
from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import CometlySwitches, GatelySwitches, KlenSwitches
from gateway.upstream.refusal import Refusal
from tests.connectors.canned import documented
from tests.domain.wanted import emails

UUID = "0d6f2c1e-7b1a-4c55-9f0e-2a9b6f3d1c77"
CREATE = Call("POST", "/contacts", {}, kind=CallKind.CREATE)
READ = Call("GET", f"/contacts/{UUID}", kind=CallKind.READ)
READ_ODD = Call("GET", "/contacts/abc", kind=CallKind.READ)
UPDATE = Call("PATCH", f"/contacts/{UUID}", {}, kind=CallKind.UPDATE)
DIALECTS = (GatelyDialect(), CometlyDialect(), KlenDialect())
UNREADABLE = [b"", b" ", b"Not found", b"<html></html>", b"[]", b'"text"', b"null", b"{", b"\xff", b"[" * 10_000]


def body(value):
    return json.dumps(value).encode()


# Gately


@pytest.mark.parametrize(
    ("value", "code"),
    list(zip(json.loads(documented(Provider.GATELY, "error_forms")), (None, "code", None, None), strict=True)),
)
def test_every_form_of_gatelys_errors_says_its_message(value, code):
    assert GatelyDialect().read_refusal(UPDATE, 422, body(value)) == Refusal(code=code, message="text")


@pytest.mark.parametrize("unreadable", UNREADABLE)
def test_an_unreadable_error_of_gately_says_nothing(unreadable):
    assert GatelyDialect().read_refusal(UPDATE, 422, unreadable) == Refusal()


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"errors": {"email": ["is taken"]}}, ("input", "emails")),
        ({"errors": {"unknown": 1, "custom_fields.tier": 1}}, ("input", "customFields")),
        ({"error": {"message": "No.", "errors": {"zip": ["odd"]}}}, ("input", "addresses")),
        ({"error": {"message": "No.", "field": "mobile"}}, ("input", "phones")),
        ({"errors": ["email"]}, None),
        ({"errors": {}}, None),
        ({"errors": "status"}, ("input", "status")),
        ({"errors": 7}, None),
    ],
)
def test_gately_may_blame_a_field(value, field):
    assert GatelyDialect().read_refusal(CREATE, 422, body(value)).field == field


@pytest.mark.parametrize(
    ("call", "message", "blames"),
    [
        (READ, "Invalid UUID", True),
        (READ, "The id is malformed", True),
        (READ, "Invalid parameters", False),
        (READ_ODD, "Invalid parameters", True),
        (READ, "identity unclear", False),
    ],
)
def test_gately_blames_the_id_by_its_words_or_where_it_is_no_uuid(call, message, blames):
    assert GatelyDialect().read_refusal(call, 400, body({"error": message})).blames_id is blames


@pytest.mark.parametrize("form", ["error", "error_object", "message", "success_false", "empty", "text"])
@pytest.mark.parametrize("status", [400, 422])
def test_a_refusal_of_gately_is_told_by_its_status_in_every_form(gately, sandbox, run, form, status):
    sandbox.gately.switches = GatelySwitches(error_form=form)
    sandbox.gately.faults.add(Fault(kind="status", status=status, operation="list", message="Too odd"))
    with pytest.raises(InputRefused) as failed:
        run(gately.list_page(PageRequest(limit=1)))
    said = form in ("error", "error_object", "message", "success_false")
    expected = "It says: Too odd" if said else f"(HTTP {status})"
    fault = failed.value.fault
    assert (fault.message, fault.upstream_status) == (f"Gately refused the input. {expected}", status)
    assert fault.upstream_code == (f"http_{status}" if form == "error_object" else None)


# Cometly


def test_an_error_of_cometly_is_a_message_without_a_code():
    refusal = CometlyDialect().read_refusal(UPDATE, 404, documented(Provider.COMETLY, "error_response"))
    assert refusal == Refusal(message="text")


@pytest.mark.parametrize(
    ("errors", "field"),
    [
        ({"emails.0": ["must be valid"]}, ("input", "emails")),
        ({"names": ["odd"]}, ("input", "name")),
        ({"unknown": ["odd"], "locations.3": ["odd"]}, ("input", "addresses")),
        ({"custom_fields.profile_field_1": ["odd"]}, ("input", "customFields")),
        ({"phones": ["odd"]}, ("input", "phones")),
        ({}, None),
        ([], None),
        ("emails", None),
    ],
)
def test_laravels_errors_may_name_a_field(errors, field):
    refusal = CometlyDialect().read_refusal(UPDATE, 422, body({"message": "No.", "errors": errors}))
    assert refusal == Refusal(message="No.", field=field)


def test_a_422_on_a_read_blames_the_id_because_a_read_sends_nothing_else():
    assert CometlyDialect().read_refusal(READ, 422, body({"message": "Invalid."})).blames_id
    assert not CometlyDialect().read_refusal(UPDATE, 422, body({"message": "Invalid id."})).blames_id


def test_a_403_of_cometly_hints_at_the_subscription():
    refusal = CometlyDialect().read_refusal(READ, 403, body({"message": "Forbidden"}))
    hint = "The key lacks the permission, or the Space's subscription is not active."
    assert refusal == Refusal(message="Forbidden", hint=hint)


@pytest.mark.parametrize("more", [False, True])
def test_a_refused_email_is_blamed_only_where_laravel_names_it(cometly, sandbox, run, more):
    sandbox.cometly.switches = CometlySwitches(errors_in_422=more, duplicate_email="refused")
    run(cometly.create(Draft(emails=emails("ines@aalto.test", primary=0))))
    # Nobody is found who has the address, so that the refusal stays what it is.
    sandbox.cometly.faults.add(Fault(kind="status", status=500, operation="list"))
    with pytest.raises(InputRefused) as failed:
        run(cometly.create(Draft(emails=emails("ines@aalto.test", primary=0))))
    assert failed.value.fault.field == (("input", "emails") if more else None)
    assert failed.value.fault.message == "Cometly refused the input. It says: emails has already been taken"


# Klen AI


@pytest.mark.parametrize(
    ("status", "code", "refusal"),
    [
        (400, "missing_first_name", Refusal(field=("input", "firstName"))),
        (400, "invalid_json", Refusal()),
        (400, "validation_error", Refusal()),
        (401, "authentication_required", Refusal()),
        (401, "invalid_key", Refusal()),
        (403, "permission_denied", Refusal(hint="The key needs can_read_contacts, and perhaps can_write_contacts.")),
        (403, "team_access_denied", Refusal(hint="The key's user has no access to that team.")),
        (404, "team_not_found", Refusal(field=("input", "klen", "teamId"), failure=InputRefused)),
        (404, "not_found", Refusal()),
        (429, "rate_limit_exceeded", Refusal()),
        (500, "server_error", Refusal()),
    ],
)
def test_every_machine_code_of_klen_is_read(status, code, refusal):
    told = KlenDialect().read_refusal(UPDATE, status, body({"error": code, "message": "text"}))
    assert told == Refusal(code=code, message="text", field=refusal.field, hint=refusal.hint, failure=refusal.failure)


@pytest.mark.parametrize(
    ("details", "field"),
    [
        ({"zip_code": "odd"}, ("input", "addresses")),
        ({"phone_numbers.0.phone_number": "odd"}, ("input", "phones")),
        ({"team_id": "odd"}, ("input", "klen", "teamId")),
        ({"nothing_of_ours": "odd", "custom_context": "odd"}, ("input", "customFields")),
        (["email"], None),
        ("email", None),
        (None, None),
    ],
)
def test_klens_details_may_name_a_field(details, field):
    value = {"error": "validation_error", "message": "No.", "details": details}
    assert KlenDialect().read_refusal(CREATE, 400, body(value)).field == field


def test_a_validation_error_on_a_read_blames_the_id():
    value = body({"error": "validation_error", "message": "No."})
    assert KlenDialect().read_refusal(READ_ODD, 400, value).blames_id
    assert not KlenDialect().read_refusal(UPDATE, 400, value).blames_id


def test_the_field_that_klen_names_in_its_details_is_blamed(klen, sandbox, run):
    sandbox.klen.switches = KlenSwitches(validation_details="details_key")
    with pytest.raises(InputRefused) as failed:
        run(klen.create(Draft(first_name="Noor", stage="unheard_of")))
    fault = failed.value.fault
    assert (fault.field, fault.upstream_code, fault.upstream_status) == (("input", "stage"), "validation_error", 400)


# All


@pytest.mark.parametrize("unreadable", UNREADABLE)
@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.provider)
def test_an_unreadable_error_body_says_neither_code_nor_message(dialect, unreadable):
    refusal = dialect.read_refusal(UPDATE, 500, unreadable)
    assert (refusal.code, refusal.message, refusal.field, refusal.failure) == (None, None, None, None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = ("error", "message", "code", "errors", "details", "success", "field")


@given(st.dictionaries(st.sampled_from(KEYS), JSON | st.fixed_dictionaries(dict.fromkeys(KEYS[:4], JSON))))
def test_no_error_body_breaks_a_dialect(value):
    for dialect in DIALECTS:
        for call in (CREATE, READ, UPDATE):
            assert isinstance(dialect.read_refusal(call, 422, body(value)), Refusal)
