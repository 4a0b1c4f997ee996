"""ifUnmodifiedSince: nobody's change is written over, and a provider that cannot tell refuses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

import pytest

from gateway.sandbox.faults import Fault
from gateway.sandbox.gately.contact import GatelyView
from gateway.sandbox.sandbox import GatelySwitches, Sandbox
from tests.conftest import Gateway
from tests.graphql.ids import ADA_CONTACTS, ADA_RECORDS, COMETLY_ID, GATELY_ID, KLEN_ID
from tests.writes.witnessed import (
    LINK,
    QUIET,
    RETRY,
    UPDATE,
    asked,
    at_once,
    failure,
    forget,
    held,
    sent,
    success,
    warning,
)

CONDITION = ["input", "ifUnmodifiedSince"]
READ = f"GET /contacts/{GATELY_ID}"
WRITE = f"PATCH /contacts/{GATELY_ID}"
AT_GATELY = {"id": ADA_RECORDS["gately"], "company": "New Oy"}
WHEN = datetime(2031, 3, 4, 5, 6, 7, 123_000, tzinfo=timezone.utc)


@pytest.fixture
def quiet(start_gateway: Callable[..., Gateway]) -> Gateway:
    return start_gateway(**QUIET)


@pytest.fixture
def changed_at(sandbox: Sandbox) -> datetime:
    """When Gately's record was changed last."""
    sandbox.gately.contacts[GATELY_ID].updated_at = WHEN
    return WHEN


def results(gateway: Gateway, **asked_for: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = gateway.data(UPDATE, input=asked_for)["updateContact"]["results"]
    return found


def assert_stale(gateway: Gateway, sandbox: Sandbox, since: str) -> None:
    before = held(sandbox)
    forget(sandbox)
    error = gateway.error(UPDATE, input={**AT_GATELY, "ifUnmodifiedSince": since})
    extensions = {name: error["extensions"][name] for name in ("code", "retryable", "field", "upstreamStatus")}
    assert extensions == {"code": "STALE_RECORD", "retryable": False, "field": CONDITION, "upstreamStatus": None}
    assert (asked(sandbox), held(sandbox)) == ({"gately": [READ]}, before)


def assert_written(gateway: Gateway, sandbox: Sandbox, since: str) -> None:
    forget(sandbox)
    assert results(gateway, **AT_GATELY, ifUnmodifiedSince=since) == [success("GATELY", "UPDATED", GATELY_ID)]
    assert asked(sandbox) == {"gately": [READ, WRITE]}
    assert sent(sandbox) == {"gately": [("PATCH", f"/contacts/{GATELY_ID}", {"company": "New Oy"})]}
    assert sandbox.gately.contacts[GATELY_ID].company == "New Oy"


@pytest.mark.parametrize(
    "since",
    [
        "2031-03-04T05:06:07.123Z",
        "2031-03-04T05:06:07.124Z",
        "2031-03-04T05:06:07.1239999Z",
        "2031-03-04T07:06:07.123+02:00",
        "2031-03-03T15:06:07.123-14:00",
        "2031-03-04 05:06:08Z".replace(" ", "T"),
        "9999-12-31T23:59:59.999999Z",
        "9999-12-31T23:59:59+14:00",
    ],
)
def test_a_record_that_nobody_changed_since_is_written(
    since: str, changed_at: datetime, quiet: Gateway, sandbox: Sandbox
) -> None:
    assert_written(quiet, sandbox, since)


@pytest.mark.parametrize(
    "since",
    [
        "2031-03-04T05:06:07.122Z",
        "2031-03-04T05:06:07.1229Z",
        "2031-03-04T05:06:07Z",
        "2031-03-04T05:06:07.123+00:01",
        "2031-03-04T07:06:07.123+02:01",
        "1969-12-31T23:59:59.5Z",
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00-14:00",
    ],
)
def test_a_record_that_was_changed_since_is_stale_and_nothing_is_sent(
    since: str, changed_at: datetime, quiet: Gateway, sandbox: Sandbox
) -> None:
    assert_stale(quiet, sandbox, since)


@pytest.mark.parametrize("microseconds", [0, 1, 999, 1_000, 123_000, 123_456, 123_999, 999_999])
@pytest.mark.parametrize("timespec", ["milliseconds", "microseconds"])
@pytest.mark.parametrize("hours", [0, 5])
def test_the_time_that_the_api_answered_is_not_stale(
    microseconds: int,
    timespec: str,
    hours: int,
    quiet: Gateway,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    zone = timezone(timedelta(hours=hours))
    monkeypatch.setattr(GatelyView, "time", lambda _, moment: moment.astimezone(zone).isoformat(timespec=timespec))
    sandbox.gately.contacts[GATELY_ID].updated_at = WHEN.replace(microsecond=microseconds)
    document = "query ($id: ID!) { contact(id: $id) { records { updatedAt } updatedAt } }"
    shown = quiet.data(document, id=ADA_CONTACTS["gately"])["contact"]
    assert shown["records"] == [{"updatedAt": shown["updatedAt"]}]
    assert_written(quiet, sandbox, shown["updatedAt"])
    # That write is a change.
    assert_stale(quiet, sandbox, (WHEN - timedelta(days=36_500)).isoformat())


def test_the_time_that_a_write_answered_lets_the_next_one_through(quiet: Gateway, sandbox: Sandbox) -> None:
    document = """mutation ($input: UpdateContactInput!) { updateContact(input: $input) {
      results { ... on ProviderWriteSuccess { record { updatedAt } } } } }"""
    since = None
    for company in ("A Oy", "B Oy", "C Oy"):
        asked_for = {**AT_GATELY, "company": company, "ifUnmodifiedSince": since}
        (result,) = quiet.data(document, input=asked_for)["updateContact"]["results"]
        since = result["record"]["updatedAt"]
    assert sandbox.gately.contacts[GATELY_ID].company == "C Oy"


def test_each_provider_answers_for_itself(changed_at: datetime, quiet: Gateway, sandbox: Sandbox) -> None:
    quiet.data(LINK, ids=list(ADA_CONTACTS.values()))
    others = [
        failure("KLEN", "UNSUPPORTED_FIELD", field=CONDITION),
        failure("COMETLY", "UNSUPPORTED_FIELD", field=CONDITION),
    ]
    asked_for = {
        "id": ADA_CONTACTS["gately"],
        "emails": [{"address": "ada@new.test"}],
        "ifUnmodifiedSince": changed_at.isoformat(),
    }
    before = held(sandbox)
    forget(sandbox)
    assert results(quiet, **asked_for) == [success("GATELY", "UPDATED", GATELY_ID), *others]
    assert asked(sandbox) == {"gately": [READ, WRITE]}
    assert {**before, "gately": ""} == {**held(sandbox), "gately": ""}
    error = quiet.error(UPDATE, input={**asked_for, "ifUnmodifiedSince": "2000-01-01T00:00:00Z"})
    assert error["extensions"]["code"] == "ALL_PROVIDERS_FAILED"
    assert [(one["provider"], one["code"], one["field"]) for one in error["extensions"]["providers"]] == [
        ("GATELY", "STALE_RECORD", CONDITION),
        ("KLEN", "UNSUPPORTED_FIELD", CONDITION),
        ("COMETLY", "UNSUPPORTED_FIELD", CONDITION),
    ]


@pytest.mark.parametrize("provider", ["klen", "cometly"])
def test_a_provider_that_tells_no_such_time_refuses_the_condition(
    provider: str, quiet: Gateway, sandbox: Sandbox
) -> None:
    asked_for = {"emails": [{"address": "ada@new.test"}], "ifUnmodifiedSince": "2031-01-01T00:00:00Z"}
    error = quiet.error(UPDATE, input={"id": ADA_RECORDS[provider], **asked_for})
    assert (error["extensions"]["code"], error["extensions"]["field"]) == ("UNSUPPORTED_FIELD", CONDITION)
    assert asked(sandbox) == {}


@pytest.mark.parametrize(
    "wrong",
    [
        "2031-03-04T05:06:07",
        "2031-03-04",
        "yesterday",
        "",
        "2031-02-30T00:00:00Z",
        "2031-03-04T25:00:00Z",
        "2031-03-04T05:06:07+25:00",
        "2031-03-04T05:06Z",
        "20310304T050607Z",
        "2031-W10-2T05:06:07Z",
        "2031-03-04T05:06:07.Z",
        "٢٠٣١-03-04T05:06:07Z",
        "2031-03-04T05:06:07Z\n",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        1_930_000_000,
        1.5,
        True,
        ["2031-03-04T05:06:07Z"],
        {"at": "2031-03-04T05:06:07Z"},
    ],
    ids=repr,
)
def test_what_is_no_point_in_time_is_refused_and_the_form_named(wrong: Any, quiet: Gateway, sandbox: Sandbox) -> None:
    error = quiet.error(UPDATE, input={**AT_GATELY, "ifUnmodifiedSince": wrong})
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert "RFC 3339, such as 2031-03-04T05:06:07Z" in error["message"]
    assert "ifUnmodifiedSince" in error["message"]
    assert asked(sandbox) == {}


@pytest.mark.parametrize("literal", ['"2031-03-04T05:06:07"', "7", "{}", "true"])
def test_a_literal_that_is_no_point_in_time_is_refused_too(literal: str, quiet: Gateway, sandbox: Sandbox) -> None:
    document = f"""mutation {{ updateContact(input: {{id: "{ADA_RECORDS["gately"]}", ifUnmodifiedSince: {literal}}}) {{
      status }} }}"""
    error = quiet.error(document)
    assert error["extensions"]["code"] in ("GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT")
    assert "RFC 3339, such as 2031-03-04T05:06:07Z" in error["message"]
    assert asked(sandbox) == {}


def test_a_small_t_is_rfc_3339_too(changed_at: datetime, quiet: Gateway, sandbox: Sandbox) -> None:
    assert_written(quiet, sandbox, "2031-03-04t05:06:07.123Z")


def test_a_small_z_is_rfc_3339_too(changed_at: datetime, quiet: Gateway, sandbox: Sandbox) -> None:
    assert_written(quiet, sandbox, "2031-03-04T05:06:07.123z")


@pytest.mark.parametrize("asked_for", [{}, {"ifUnmodifiedSince": None}], ids=["left out", "null"])
def test_null_is_no_condition(asked_for: dict[str, Any], quiet: Gateway, sandbox: Sandbox) -> None:
    assert results(quiet, **AT_GATELY, **asked_for) == [success("GATELY", "UPDATED", GATELY_ID)]
    assert asked(sandbox) == {"gately": [WRITE]}


@pytest.mark.parametrize(
    ("fault", "code", "status", "retryable"),
    [
        (Fault(kind="drop_before", operation="read"), "PROVIDER_TIMEOUT", None, True),
        (Fault(kind="status", status=500, operation="read"), "PROVIDER_ERROR", 500, True),
        (Fault(kind="html", operation="read"), "PROVIDER_BAD_RESPONSE", 200, False),
        (Fault(kind="status", status=404, operation="read"), "NOT_FOUND", 404, False),
    ],
    ids=["lost", "500", "html", "404"],
)
def test_a_record_whose_time_cannot_be_read_is_not_written(
    fault: Any, code: str, status: int | None, retryable: bool, quiet: Gateway, sandbox: Sandbox
) -> None:
    quiet.data(LINK, ids=list(ADA_CONTACTS.values()))
    sandbox.gately.faults.add(fault)
    forget(sandbox)
    error = quiet.error(UPDATE, input={**AT_GATELY, "ifUnmodifiedSince": "2031-01-01T00:00:00Z"})
    told = error["extensions"]
    assert (told["code"], told["upstreamStatus"], told["retryable"]) == (code, status, retryable)
    assert sent(sandbox) == {}


def test_a_time_that_gately_leaves_out_is_no_proof(
    quiet: Gateway, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    details = GatelyView.details

    def without_time(view: GatelyView, contact: Any) -> Any:
        return {name: value for name, value in details(view, contact).items() if name != "updated_at"}

    monkeypatch.setattr(GatelyView, "details", without_time)
    error = quiet.error(UPDATE, input={**AT_GATELY, "ifUnmodifiedSince": "2031-01-01T00:00:00Z"})
    assert error["extensions"]["code"] == "STALE_RECORD"
    assert sent(sandbox) == {}


def test_the_condition_belongs_to_the_input_of_a_key(changed_at: datetime, quiet: Gateway, sandbox: Sandbox) -> None:
    with_key = {**AT_GATELY, "idempotencyKey": "k", "ifUnmodifiedSince": changed_at.isoformat()}
    assert results(quiet, **with_key)[0]["action"] == "UPDATED"
    forget(sandbox)
    # The same moment in another zone is the same input.
    same = changed_at.astimezone(timezone(timedelta(hours=2))).isoformat()
    assert results(quiet, **{**with_key, "ifUnmodifiedSince": same})[0]["action"] == "REPLAYED"
    for other in (None, "2031-01-01T00:00:00Z"):
        error = quiet.error(UPDATE, input={**with_key, "ifUnmodifiedSince": other})
        assert error["extensions"]["code"] == "IDEMPOTENCY_KEY_MISMATCH"
    assert sent(sandbox) == {}


@pytest.mark.parametrize("how", ["retryWrite", "key"])
def test_the_condition_is_checked_again_when_it_is_sent_again(
    how: str, changed_at: datetime, quiet: Gateway, sandbox: Sandbox
) -> None:
    sandbox.gately.faults.add(Fault(kind="status", status=429, operation="update"))
    asked_for = {**AT_GATELY, "ifUnmodifiedSince": changed_at.isoformat(), "idempotencyKey": "k"}
    first = quiet.error(UPDATE, input=asked_for)["extensions"]
    assert first["code"] == "RATE_LIMITED"
    sandbox.gately.faults.clear()
    sandbox.gately.contacts[GATELY_ID].updated_at += timedelta(milliseconds=1)
    forget(sandbox)
    error = quiet.error(UPDATE, input=asked_for) if how == "key" else quiet.error(RETRY, id=first["operationId"])
    assert error["extensions"]["code"] == "STALE_RECORD"
    assert asked(sandbox) == {"gately": [READ]}
    sandbox.gately.contacts[GATELY_ID].updated_at = changed_at
    again = quiet.data(RETRY, id=first["operationId"])["retryWrite"]
    assert again["results"] == [success("GATELY", "UPDATED", GATELY_ID)]


def test_the_offset_in_which_gately_tells_its_times_does_not_matter(
    changed_at: datetime, quiet: Gateway, sandbox: Sandbox
) -> None:
    sandbox.gately.switches = GatelySwitches(timestamp_offset_hours=-7)
    assert_stale(quiet, sandbox, (changed_at - timedelta(milliseconds=1)).isoformat())
    assert_written(quiet, sandbox, changed_at.isoformat())


@pytest.mark.parametrize("gateways", [1, 2])
def test_of_several_that_read_the_same_time_one_writes(
    gateways: int, start_gateway: Callable[..., Gateway], sandbox: Sandbox, database_url: str
) -> None:
    """The condition is checked and the write sent under the record's lock."""
    since = sandbox.gately.contacts[GATELY_ID].updated_at.isoformat()
    every = [start_gateway(database_url=database_url, **QUIET) for _ in range(gateways)]
    inputs = [{**AT_GATELY, "company": f"Oy {n}", "ifUnmodifiedSince": since} for n in range(8)]
    answers = at_once(partial(every[n % gateways].send, UPDATE, input=one) for n, one in enumerate(inputs))
    codes = [answer["errors"][0]["extensions"]["code"] for answer in answers if "errors" in answer]
    assert codes == ["STALE_RECORD"] * 7
    (winner,) = (n for n, answer in enumerate(answers) if "errors" not in answer)
    assert sent(sandbox) == {"gately": [("PATCH", f"/contacts/{GATELY_ID}", {"company": f"Oy {winner}"})]}
    assert sandbox.gately.contacts[GATELY_ID].company == f"Oy {winner}"


def test_where_nothing_is_left_to_send_there_is_nothing_to_refuse(quiet: Gateway, sandbox: Sandbox) -> None:
    for provider, remote_id in (("cometly", COMETLY_ID), ("klen", KLEN_ID)):
        asked_for = {"id": ADA_RECORDS[provider], "externalId": "crm-1", "ifUnmodifiedSince": "2031-01-01T00:00:00Z"}
        dropped = warning("FIELD_DROPPED", "externalId")
        assert results(quiet, **asked_for) == [success(provider.upper(), "UNCHANGED", remote_id, dropped)]
    assert asked(sandbox) == {}
