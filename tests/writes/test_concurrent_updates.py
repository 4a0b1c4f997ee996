"""One writer at a time per record, over all gateways on one database: what is read and written whole loses nothing."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import Sandbox
from gateway.store.locks import LockStore
from gateway.store.owner import new_owner
from tests.conftest import Gateway
from tests.graphql.ids import ADA_CONTACTS, ADA_RECORDS, COMETLY_ID, GATELY_ID, KLEN_ID
from tests.writes.witnessed import (
    LINK,
    QUIET,
    UPDATE,
    UPSERT,
    asked,
    at_once,
    failure,
    forget,
    held,
    rows,
    sent,
    success,
)

CLIENTS = 20
FAR = 9_999_999_999_999
LOCKS = {"gately": f"record:gately:{GATELY_ID}", "klen": f"record:klen:{KLEN_ID}"}

Start = Callable[..., Gateway]


@pytest.fixture(params=[1, 2], ids=["one gateway", "two gateways"])
def gateways(request: pytest.FixtureRequest, start_gateway: Start, database_url: str) -> list[Gateway]:
    """That many, on one database, with Ada Winter's three records as one contact."""
    every = [start_gateway(database_url=database_url, **QUIET) for _ in range(request.param)]
    every[0].data(LINK, ids=list(ADA_CONTACTS.values()))
    return every


@pytest.fixture
def hasty(start_gateway: Start, database_url: str) -> Gateway:
    """A gateway that does not wait for long, for tests in which it waits in vain."""
    return linked(start_gateway, database_url, mutation_deadline_seconds=2.0)


@pytest.fixture
def patient(start_gateway: Start, database_url: str) -> Gateway:
    return linked(start_gateway, database_url)


def linked(start_gateway: Start, database_url: str, **settings: Any) -> Gateway:
    gateway = start_gateway(database_url=database_url, **settings, **QUIET)
    gateway.data(LINK, ids=list(ADA_CONTACTS.values()))
    return gateway


@pytest.fixture
def slow_reads(sandbox: Sandbox) -> None:
    """Between reading and writing there is time for everybody else."""
    for simulator in sandbox.simulators:
        simulator.faults.add(Fault(kind="slow", operation="read", delay_ms=15))


def lock(url: str, name: str, owner: str, until: int = FAR) -> None:
    rows(
        url,
        "INSERT INTO locks (name, owner, until) VALUES (:name, :owner, :until)",
        name=name,
        owner=owner,
        until=until,
    )


def locks(url: str) -> list[str]:
    return [name for (name,) in rows(url, "SELECT name FROM locks")]


def update_all(gateways: list[Gateway], inputs: list[dict[str, Any]]) -> None:
    """All at once, and each applied wherever it goes."""
    place = range(len(inputs))
    payloads = at_once(partial(gateways[n % len(gateways)].data, UPDATE, input=inputs[n]) for n in place)
    assert [payload["updateContact"]["status"] for payload in payloads] == ["SUCCEEDED"] * len(inputs)


def tags(sandbox: Sandbox) -> dict[str, list[str]]:
    book = sandbox.gately.book
    at_gately = [book.tags[tag].name for tag in book.contacts[GATELY_ID].tags]
    return {"gately": at_gately, "klen": list(sandbox.klen.contacts[KLEN_ID].tags)}


def test_tags_that_many_add_at_once_are_all_there(
    slow_reads: None, gateways: list[Gateway], sandbox: Sandbox, database_url: str
) -> None:
    before = tags(sandbox)
    added = [f"tag {n}" for n in range(CLIENTS)]
    update_all(gateways, [{"id": ADA_CONTACTS["gately"], "tags": {"add": [tag]}} for tag in added])
    for provider, now in tags(sandbox).items():
        assert now[: len(before[provider])] == before[provider]
        assert sorted(now[len(before[provider]) :]) == sorted(added)
    writes = {name: [len(body["tags"]) for _, _, body in calls] for name, calls in sent(sandbox).items()}
    grown = {name: list(range(len(held) + 1, len(held) + CLIENTS + 1)) for name, held in before.items()}
    assert writes == grown, "each wrote what it had read and one more"
    assert locks(database_url) == []


def test_custom_fields_that_many_merge_at_once_are_all_there(
    slow_reads: None, gateways: list[Gateway], sandbox: Sandbox, database_url: str
) -> None:
    at_gately, at_klen = sandbox.gately.contacts[GATELY_ID], sandbox.klen.contacts[KLEN_ID]
    before = dict(at_gately.custom_fields), dict(at_klen.custom_context)
    assert all(before)
    # A null makes Gately's merge one that is read, changed and written whole.
    inputs = [{"merge": {f"key {n}": n, f"not there {n}": None}} for n in range(CLIENTS)]
    update_all(
        gateways,
        [{"id": ADA_CONTACTS["gately"], "customFields": one, "providers": ["GATELY", "KLEN"]} for one in inputs],
    )
    added = {f"key {n}": n for n in range(CLIENTS)}
    assert at_gately.custom_fields == {**before[0], **added}
    assert at_klen.custom_context == {**before[1], **added}
    assert {call[:2] for call in sent(sandbox)["gately"]} == {("PATCH", f"/contacts/{GATELY_ID}")}


def test_names_that_many_put_first_at_cometly_are_all_there(
    slow_reads: None, gateways: list[Gateway], sandbox: Sandbox, database_url: str
) -> None:
    before = list(sandbox.cometly.contacts[COMETLY_ID].names.oldest_first)
    added = [f"Ada {n}" for n in range(CLIENTS)]
    update_all(gateways, [{"id": ADA_RECORDS["cometly"], "name": name} for name in added])
    assert sorted(sandbox.cometly.contacts[COMETLY_ID].names.oldest_first) == sorted([*before, *added])


def test_removing_and_adding_at_once_loses_neither(
    slow_reads: None, gateways: list[Gateway], sandbox: Sandbox, database_url: str
) -> None:
    removed = tags(sandbox)["klen"]
    inputs: list[dict[str, Any]] = [{"remove": [tag]} for tag in removed] + [{"add": [f"tag {n}"]} for n in range(8)]
    update_all(gateways, [{"id": ADA_RECORDS["klen"], "tags": one} for one in inputs])
    assert removed
    assert sorted(tags(sandbox)["klen"]) == [f"tag {n}" for n in range(8)]


def test_upserts_and_updates_of_one_record_wait_for_each_other(
    slow_reads: None, gateways: list[Gateway], sandbox: Sandbox, database_url: str
) -> None:
    """An upsert's lock is on the address, its update's on the record."""
    profile = sandbox.cometly.contacts[COMETLY_ID]
    email = profile.emails.oldest_first[0]
    before = list(profile.names.oldest_first)

    def upsert(gateway: Gateway, name: str) -> str:
        asked_for = {"name": name, "emails": [{"address": email}], "providers": ["COMETLY"]}
        return str(gateway.data(UPSERT, input=asked_for)["upsertContact"]["status"])

    def update(gateway: Gateway, name: str) -> str:
        return str(gateway.data(UPDATE, input={"id": ADA_RECORDS["cometly"], "name": name})["updateContact"]["status"])

    every = [
        partial(one, gateways[n % len(gateways)], f"Ada {n}")
        for n, one in enumerate([upsert, update, update, upsert] * 3)
    ]
    assert at_once(every) == ["SUCCEEDED"] * 12
    assert sorted(profile.names.oldest_first) == sorted([*before, *(f"Ada {n}" for n in range(12))])


# A lock that somebody holds


def test_a_record_that_stays_locked_is_busy_and_nothing_is_sent_there(
    hasty: Gateway, sandbox: Sandbox, database_url: str
) -> None:
    lock(database_url, LOCKS["gately"], new_owner())
    forget(sandbox)
    before = held(sandbox)["gately"]
    payload = hasty.data(
        UPDATE, input={"id": ADA_CONTACTS["gately"], "company": "New Oy", "providers": ["GATELY", "KLEN"]}
    )["updateContact"]
    assert payload["status"] == "PARTIAL"
    assert payload["results"] == [
        failure("GATELY", "RECORD_BUSY", retryable=True),
        success("KLEN", "UPDATED", KLEN_ID),
    ]
    assert asked(sandbox) == {"klen": [f"PATCH /contacts/{KLEN_ID}/update"]}
    assert held(sandbox)["gately"] == before
    assert locks(database_url) == [LOCKS["gately"]], "the other's lock is left alone"


def test_a_record_that_is_busy_is_written_when_it_is_asked_for_again(
    hasty: Gateway, sandbox: Sandbox, database_url: str
) -> None:
    lock(database_url, LOCKS["gately"], new_owner())
    asked_for = {"id": ADA_RECORDS["gately"], "company": "New Oy", "idempotencyKey": "k"}
    assert hasty.error(UPDATE, input=asked_for)["extensions"]["code"] == "RECORD_BUSY"
    rows(database_url, "DELETE FROM locks")
    payload = hasty.data(UPDATE, input=asked_for)["updateContact"]
    assert payload["results"] == [success("GATELY", "UPDATED", GATELY_ID)]
    assert sandbox.gately.contacts[GATELY_ID].company == "New Oy"


def test_a_deletion_waits_for_the_lock_too(hasty: Gateway, sandbox: Sandbox, database_url: str) -> None:
    lock(database_url, LOCKS["gately"], new_owner())
    document = "mutation ($id: ID!) { deleteContact(input: {id: $id}) { status } }"
    error = hasty.error(document, id=ADA_RECORDS["gately"])
    assert (error["extensions"]["code"], error["extensions"]["retryable"]) == ("RECORD_BUSY", True)
    assert sent(sandbox) == {}
    assert GATELY_ID in sandbox.gately.contacts


def test_a_lock_on_one_record_holds_up_no_other(patient: Gateway, sandbox: Sandbox, database_url: str) -> None:
    lock(database_url, LOCKS["gately"], new_owner())
    lock(database_url, f"{LOCKS['klen']}1", new_owner())
    for one in ("klen", "cometly"):
        asked_for = {"id": ADA_RECORDS[one], "emails": [{"address": "ada@new.test"}]}
        assert patient.data(UPDATE, input=asked_for)["updateContact"]["status"] == "SUCCEEDED"


def test_a_lock_whose_lease_is_over_is_taken_over(patient: Gateway, sandbox: Sandbox, database_url: str) -> None:
    lock(database_url, LOCKS["gately"], new_owner(), until=int(time.time() * 1000) - 1)
    assert patient.data(UPDATE, input={"id": ADA_RECORDS["gately"], "company": "New Oy"})["updateContact"][
        "results"
    ] == [success("GATELY", "UPDATED", GATELY_ID)]
    assert locks(database_url) == []


def test_a_lock_of_another_machine_is_waited_for(hasty: Gateway, sandbox: Sandbox, database_url: str) -> None:
    """Whether that process lives cannot be told from here."""
    lock(database_url, LOCKS["gately"], "another-boot/pid:[1]/999999/1/0123")
    error = hasty.error(UPDATE, input={"id": ADA_RECORDS["gately"], "company": "New Oy"})
    assert error["extensions"]["code"] == "RECORD_BUSY"


@pytest.fixture
def another_process() -> Iterator[subprocess.Popen[str]]:
    """Prints the owner's name that it would lock under, and lives until it is killed."""
    program = "import time; from gateway.store.owner import new_owner; print(new_owner(), flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_the_lock_of_a_killed_gateway_is_taken_over_at_once(
    another_process: subprocess.Popen[str], hasty: Gateway, sandbox: Sandbox, database_url: str
) -> None:
    assert another_process.stdout is not None
    lock(database_url, LOCKS["gately"], another_process.stdout.readline().strip())
    asked_for = {"id": ADA_RECORDS["gately"], "company": "New Oy"}
    assert hasty.error(UPDATE, input=asked_for)["extensions"]["code"] == "RECORD_BUSY"
    assert sent(sandbox) == {}
    another_process.kill()
    another_process.wait()
    payload = hasty.data(UPDATE, input=asked_for)["updateContact"]
    assert payload["results"] == [success("GATELY", "UPDATED", GATELY_ID)]
    assert sent(sandbox) == {"gately": [("PATCH", f"/contacts/{GATELY_ID}", {"company": "New Oy"})]}
    assert locks(database_url) == []


def test_of_many_who_take_a_dead_ones_lock_over_one_at_a_time_writes(
    another_process: subprocess.Popen[str],
    slow_reads: None,
    gateways: list[Gateway],
    sandbox: Sandbox,
    database_url: str,
) -> None:
    assert another_process.stdout is not None
    lock(database_url, LOCKS["klen"], another_process.stdout.readline().strip())
    another_process.kill()
    another_process.wait()
    before = tags(sandbox)["klen"]
    added = [f"tag {n}" for n in range(8)]
    update_all(gateways, [{"id": ADA_RECORDS["klen"], "tags": {"add": [tag]}} for tag in added])
    assert sorted(tags(sandbox)["klen"]) == sorted([*before, *added])


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="status", status=500, operation="update"),
        Fault(kind="drop_after", operation="update"),
        Fault(kind="hang", operation="update"),
        Fault(kind="status", status=409, operation="update"),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
def test_however_a_write_ends_its_lock_is_given_back(
    fault: Any, hasty: Gateway, sandbox: Sandbox, database_url: str
) -> None:
    sandbox.gately.faults.add(fault)
    hasty.send(UPDATE, input={"id": ADA_RECORDS["gately"], "company": "New Oy"})
    assert locks(database_url) == []
    sandbox.gately.faults.clear()
    again = hasty.data(UPDATE, input={"id": ADA_RECORDS["gately"], "company": "Newer Oy"})["updateContact"]
    assert again["status"] == "SUCCEEDED"


def test_a_lock_that_somebody_else_has_taken_over_is_left_to_them(
    patient: Gateway, sandbox: Sandbox, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A holder that outlived its lease gives back nothing of the next one's."""
    answer = sandbox.gately.answer

    def taken_over_meanwhile(received: Any) -> Any:
        rows(database_url, "UPDATE locks SET owner = :owner, until = :until", owner=new_owner(), until=FAR)
        return answer(received)

    monkeypatch.setattr(sandbox.gately, "answer", taken_over_meanwhile)
    payload = patient.data(UPDATE, input={"id": ADA_RECORDS["gately"], "company": "New Oy"})["updateContact"]
    assert payload["status"] == "SUCCEEDED"
    assert locks(database_url) == [LOCKS["gately"]]


def test_a_lock_that_was_granted_too_late_is_given_back(
    hasty: Gateway, sandbox: Sandbox, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = LockStore.take

    async def late(store: LockStore, *arguments: Any, **named: Any) -> bool:
        taken = await take(store, *arguments, **named)
        await asyncio.sleep(2.5)
        return taken

    with monkeypatch.context() as patch:
        patch.setattr(LockStore, "take", late)
        error = hasty.error(UPDATE, input={"id": ADA_RECORDS["gately"], "company": "New Oy"})
    assert error["extensions"]["code"] == "DEADLINE_EXCEEDED"
    assert sent(sandbox) == {}
    assert locks(database_url) == []
