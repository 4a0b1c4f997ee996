"""One key, one write: what is done replays, what was surely not done runs again, what is unknown is looked for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.sandbox.sandbox import Sandbox
from tests.failures.outcomes import REMOTE_IDS, contact_id, linked
from tests.writes.rig import (
    CREATE,
    DELETE,
    PERSON,
    PROVIDERS,
    SETTLING_MS,
    UPDATE,
    Bench,
    ManualClock,
    Store,
    each,
    fail,
    forget_requests,
    holders,
    ids_told,
    keyed,
    one_contact,
    records_of,
    refuse,
    result_at,
    sent,
    told,
    writes_sent,
)

MISMATCH = {"code": "IDEMPOTENCY_KEY_MISMATCH", "retryable": False}
providers = pytest.mark.parametrize("provider", PROVIDERS)


def test_a_second_time_tells_the_same_and_asks_nobody(bench: Bench, store: Store, sandbox: Sandbox) -> None:
    first = bench.create(key="k-1", tags=["fair"])
    before = (store.operations(), store.targets(), store.links())
    forget_requests(sandbox)
    second = bench.create(key="k-1", tags=["fair"])
    assert told(second) == [(name, "APPLIED", "REPLAYED") for name in PROVIDERS]
    replayed = [{**one, "action": "REPLAYED"} for one in first["results"]]
    assert second == {**first, "results": replayed}
    assert sent(sandbox) == {}
    assert (store.operations(), store.targets(), store.links()) == before


def test_the_warnings_are_told_again(bench: Bench, sandbox: Sandbox) -> None:
    document = """mutation ($input: CreateContactInput!) { createContact(input: $input) {
      results { provider warnings { code field message } } } }"""
    variables = {"name": "Ines Aalto", "emails": PERSON["emails"], "tags": ["fair"], "idempotencyKey": "k-1"}
    first = bench.gateway.data(document, input=variables)
    assert [len(one["warnings"]) for one in first["createContact"]["results"]] == [0, 2, 1]
    assert bench.gateway.data(document, input=variables) == first


def test_a_replay_reads_what_is_selected_and_nothing_else(bench: Bench, sandbox: Sandbox) -> None:
    bench.create(key="k-1", company="Aalto Oy")
    forget_requests(sandbox)
    document = """mutation ($input: CreateContactInput!) { createContact(input: $input) {
      status contact { company } results { ... on ProviderWriteSuccess { action record { name } } } } }"""
    payload = bench.gateway.data(document, input=keyed("k-1", **PERSON, company="Aalto Oy"))["createContact"]
    assert payload == {
        "status": "SUCCEEDED",
        "contact": {"company": "Aalto Oy"},
        "results": [{"action": "REPLAYED", "record": {"name": "Ines Aalto"}}] * 3,
    }
    assert sent(sandbox) == each("read")


@providers
def test_what_was_surely_not_done_runs_again_and_nothing_else(
    provider: str, bench: Bench, store: Store, sandbox: Sandbox
) -> None:
    refuse(sandbox, provider)
    first = bench.create(key="k-1")
    assert first["status"] == "PARTIAL"
    forget_requests(sandbox)
    second = bench.create(key="k-1")
    assert (second["status"], second["operationId"]) == ("SUCCEEDED", first["operationId"])
    assert told(second) == [(name, "APPLIED", "CREATED" if name == provider else "REPLAYED") for name in PROVIDERS]
    assert sent(sandbox) == {provider: ["create"]}
    there = holders(sandbox)
    assert ids_told(second) == records_of(second) == there
    assert store.links() == one_contact(there)
    assert second["contact"]["id"] == contact_id("GATELY", there["GATELY"][0])
    old = bench.gateway.data("query ($id: ID!) { contact(id: $id) { id } }", id=first["contact"]["id"])
    assert old == {"contact": {"id": second["contact"]["id"]}}, "the id that was told first leads there too"
    forget_requests(sandbox)
    third = bench.create(key="k-1")
    assert told(third) == [(name, "APPLIED", "REPLAYED") for name in PROVIDERS]
    assert (third["contact"], sent(sandbox)) == (second["contact"], {})


def test_what_everybody_refused_runs_again(bench: Bench, store: Store, sandbox: Sandbox) -> None:
    for provider in PROVIDERS:
        refuse(sandbox, provider)
    refusal = bench.refused(CREATE, input=keyed("k-1", **PERSON))
    again = bench.create(key="k-1")
    assert (again["status"], again["operationId"]) == ("SUCCEEDED", refusal["operationId"])
    assert told(again) == [(name, "APPLIED", "CREATED") for name in PROVIDERS]
    assert writes_sent(sandbox) == each("create", "create")
    assert ids_told(again) == holders(sandbox)
    assert store.links() == one_contact(holders(sandbox))


def test_what_is_refused_again_is_one_error_again(bench: Bench, sandbox: Sandbox) -> None:
    refuse(sandbox, "KLEN", count=None)
    first = bench.refused(CREATE, input=keyed("k-1", **PERSON, providers=["KLEN"]))
    assert bench.refused(CREATE, input=keyed("k-1", **PERSON, providers=["KLEN"])) == first
    assert sent(sandbox) == {"KLEN": ["create", "create"]}


@providers
def test_what_is_unknown_is_looked_for_and_not_sent_again(
    provider: str, bench: Bench, store: Store, sandbox: Sandbox
) -> None:
    fail(sandbox, provider, "drop_after")
    first = bench.create(key="k-1")
    assert result_at(first, provider)["outcome"] == "UNKNOWN"
    forget_requests(sandbox)
    second = bench.create(key="k-1")
    assert told(second) == [(name, "APPLIED", "CREATED" if name == provider else "REPLAYED") for name in PROVIDERS]
    assert writes_sent(sandbox) == {}
    assert list(sent(sandbox)) == [provider]
    there = holders(sandbox)
    assert ids_told(second) == there
    assert all(len(ids) == 1 for ids in there.values())
    assert store.links() == one_contact(there)


@providers
def test_what_is_not_there_is_sent_again_once_the_provider_has_had_its_time(
    provider: str, bench: Bench, store: Store, sandbox: Sandbox, clock: ManualClock
) -> None:
    fail(sandbox, provider, "drop_before")
    bench.create(key="k-1")
    forget_requests(sandbox)
    early = bench.create(key="k-1")
    error = result_at(early, provider)["error"]
    assert (early["status"], result_at(early, provider)["outcome"]) == ("PARTIAL", "UNKNOWN")
    assert (error["code"], error["retryable"], error["retryAfterMs"]) == ("PROVIDER_TIMEOUT", False, SETTLING_MS)
    assert writes_sent(sandbox) == {}
    clock.advance(SETTLING_MS)
    late = bench.create(key="k-1")
    assert told(late) == [(name, "APPLIED", "CREATED" if name == provider else "REPLAYED") for name in PROVIDERS]
    assert writes_sent(sandbox) == {provider: ["create"]}
    assert ids_told(late) == holders(sandbox)
    assert store.links() == one_contact(holders(sandbox))


OTHERS: dict[str, dict[str, Any]] = {
    "another value": {"name": "Ines Alto"},
    "one provider less": {"providers": ["GATELY", "KLEN"]},
    "a field more": {"company": "Aalto Oy"},
    "a field that is null": {"company": None},
    "a list that is empty": {"phones": []},
    "another custom field": {"customFields": {"tier": "gold", "seat": 2}},
    "a text in the place of a number": {"customFields": {"tier": "gold", "seat": "1"}},
}


def test_another_input_with_the_same_key_is_refused(bench: Bench, store: Store, sandbox: Sandbox) -> None:
    fields: dict[str, Any] = {**PERSON, "customFields": {"tier": "gold", "seat": 1}}
    bench.create(key="k-1", **fields)
    before = (store.operations(), store.targets())
    forget_requests(sandbox)
    answers = {name: bench.refused(CREATE, input=keyed("k-1", **{**fields, **other})) for name, other in OTHERS.items()}
    assert answers == dict.fromkeys(OTHERS, MISMATCH)
    assert (store.operations(), store.targets(), sent(sandbox)) == (*before, {})


def test_a_key_belongs_to_one_kind_of_write(bench: Bench, sandbox: Sandbox) -> None:
    bench.update(key="k-1", id=contact_id("GATELY"), company="Aalto Oy")
    forget_requests(sandbox)
    assert bench.refused(DELETE, input=keyed("k-1", id=contact_id("GATELY"))) == MISMATCH
    assert bench.refused(CREATE, input=keyed("k-1", **PERSON)) == MISMATCH
    assert bench.refused(UPDATE, input=keyed("k-1", id=contact_id("KLEN"), company="Aalto Oy")) == MISMATCH
    assert sent(sandbox) == {}


@pytest.mark.parametrize("change", [{"company": None}, {}], ids=["null", "omitted"])
def test_left_out_and_null_are_two_updates(change: dict[str, Any], bench: Bench, sandbox: Sandbox) -> None:
    bench.update(key="k-1", id=contact_id("GATELY"), notes="VIP", **change)
    forget_requests(sandbox)
    other = {} if change else {"company": None}
    fields = keyed("k-1", id=contact_id("GATELY"), notes="VIP", **other)
    assert bench.refused(UPDATE, input=fields) == MISMATCH
    assert sent(sandbox) == {}


def test_the_order_of_names_and_the_form_of_the_document_do_not_matter(bench: Bench, sandbox: Sandbox) -> None:
    fields = {**PERSON, "customFields": {"tier": "gold", "more": {"a": 1, "b": [2, 3]}}, "idempotencyKey": "k-1"}
    first = bench.gateway.data(CREATE, input=fields)["createContact"]
    turned = {**dict(reversed(fields.items())), "customFields": {"more": {"b": [2, 3], "a": 1}, "tier": "gold"}}
    assert json.dumps(turned) != json.dumps(fields)
    forget_requests(sandbox)
    assert bench.gateway.data(CREATE, input=turned)["createContact"]["operationId"] == first["operationId"]
    literal = """mutation { createContact(input: {
      emails: [{address: "ines@aalto.test"}], idempotencyKey: "k-1", lastName: "Aalto", firstName: "Ines",
      customFields: {more: {b: [2, 3], a: 1}, tier: "gold"}, name: "Ines Aalto" }) { operationId } }"""
    assert bench.gateway.data(literal)["createContact"]["operationId"] == first["operationId"]
    assert sent(sandbox) == {}


def test_an_update_is_not_sent_again(bench: Bench, store: Store, sandbox: Sandbox) -> None:
    change = {"id": linked(bench.gateway), "company": "Aalto Oy"}
    first = bench.update(key="k-1", **change)
    # Cometly holds no company, so nothing was left to send there.
    assert told(first) == [
        ("GATELY", "APPLIED", "UPDATED"),
        ("KLEN", "APPLIED", "UPDATED"),
        ("COMETLY", "APPLIED", "UNCHANGED"),
    ]
    sandbox.gately.contacts[REMOTE_IDS["GATELY"]].company = "Somebody else's"
    forget_requests(sandbox)
    second = bench.update(key="k-1", **change)
    assert second == {**first, "results": [{**one, "action": "REPLAYED"} for one in first["results"]]}
    assert sent(sandbox) == {}
    assert sandbox.gately.contacts[REMOTE_IDS["GATELY"]].company == "Somebody else's"


def test_an_update_runs_again_where_it_was_not_done(bench: Bench, store: Store, sandbox: Sandbox) -> None:
    change = {"id": linked(bench.gateway), "company": "Aalto Oy", "notes": None}
    refuse(sandbox, "GATELY", "update")
    first = bench.update(key="k-1", **change)
    assert first["status"] == "PARTIAL"
    forget_requests(sandbox)
    second = bench.update(key="k-1", **change)
    assert told(second) == [
        ("GATELY", "APPLIED", "UPDATED"),
        ("KLEN", "APPLIED", "REPLAYED"),
        ("COMETLY", "APPLIED", "REPLAYED"),
    ]
    assert writes_sent(sandbox) == {"GATELY": ["update"]}
    assert sandbox.gately.contacts[REMOTE_IDS["GATELY"]].company == "Aalto Oy"
    assert second["contact"] == first["contact"]


def test_a_deletion_tells_again_what_it_deleted(bench: Bench, sandbox: Sandbox) -> None:
    first = bench.delete(key="k-1", id=contact_id("GATELY"))
    assert (told(first), first["deletedId"]) == ([("GATELY", "APPLIED", "DELETED")], contact_id("GATELY"))
    forget_requests(sandbox)
    second = bench.delete(key="k-1", id=contact_id("GATELY"))
    assert second == {**first, "results": [{**first["results"][0], "action": "REPLAYED"}]}
    assert sent(sandbox) == {}


def test_a_lost_deletion_is_looked_for(bench: Bench, sandbox: Sandbox) -> None:
    fail(sandbox, "GATELY", "drop_after", "delete")
    first = bench.delete(key="k-1", id=contact_id("GATELY"))
    assert (first["status"], first["deletedId"]) == ("UNKNOWN", None)
    forget_requests(sandbox)
    second = bench.delete(key="k-1", id=contact_id("GATELY"))
    assert (told(second), second["deletedId"]) == ([("GATELY", "APPLIED", "DELETED")], contact_id("GATELY"))
    assert sent(sandbox) == {"GATELY": ["read"]}


def test_a_deletion_that_one_provider_cannot_do_stays_partial(bench: Bench, sandbox: Sandbox) -> None:
    everywhere = linked(bench.gateway)
    first = bench.delete(key="k-1", id=everywhere)
    forget_requests(sandbox)
    second = bench.delete(key="k-1", id=everywhere)
    assert told(second) == [
        ("GATELY", "APPLIED", "REPLAYED"),
        ("KLEN", "NOT_APPLIED", "UNSUPPORTED_OPERATION"),
        ("COMETLY", "NOT_APPLIED", "UNSUPPORTED_OPERATION"),
    ]
    assert (second["status"], second["deletedId"]) == (first["status"], first["deletedId"]) == ("PARTIAL", None)
    assert sent(sandbox) == {}
