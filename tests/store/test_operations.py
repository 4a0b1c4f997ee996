"""The record of a write while two gateways believe that it is theirs: one stalled, and the other took over."""

from uuid import RFC_4122, UUID

import pytest

from gateway.contacts.writing import _UUID
from gateway.domain.contact import Provider, RecordKey
from gateway.domain.errors import DeadlineExceeded, WriteOutcome
from gateway.domain.intent import Intent, WriteKind
from gateway.domain.writes import WriteAction, WriteResult
from gateway.store.operation import StoredOperation, StoredTarget, new_id
from gateway.store.operations import OperationStore

STALLED, OTHER = "stalled", "other"
TARGET = StoredTarget(position=0, provider=Provider.KLEN, remote_id=None, creates=True, likeness="alike")
NOT_DONE = WriteResult(provider=Provider.KLEN, failure=DeadlineExceeded(Provider.KLEN, "There was no time left."))
DONE = WriteResult(provider=Provider.KLEN, key=RecordKey(Provider.KLEN, "1"), action=WriteAction.CREATED)


@pytest.fixture
def store(database):
    return OperationStore(database)


@pytest.fixture
def taken_over(store, run):
    """Its first owner stalled before it sent anything; the next one is sending now."""
    intent = Intent(kind=WriteKind.CREATE)
    operation = StoredOperation(
        id="o-1",
        caller="anybody",
        kind=intent.kind,
        fingerprint=intent.fingerprint,
        intent=intent,
        owner=STALLED,
        lease_until=10,
        finished=False,
        targets=(TARGET,),
    )

    async def take_over():
        await store.record(operation, key=None, now=0, results=[None])
        seen = await store.by_id("o-1")
        assert await store.take(seen, owner=OTHER, lease_until=100, now=11)
        await store.note_sending("o-1", seen.targets, now=12)

    run(take_over())
    return operation.id


def outcome(store, run):
    operation = run(store.by_id("o-1"))
    return operation.targets[0].outcome, operation.targets[0].remote_id


def finish(store, result, owner, noted=None):
    return store.finish("o-1", [result], owner=owner, now=14, look_at=None, looks=0, erase=False, noted=noted)


def test_that_a_stalled_gateway_did_nothing_says_nothing_of_the_one_that_took_over(taken_over, store, run):
    """Else the answer of the one that took over would come too late, and a repetition would create it again."""
    run(store.note(taken_over, 0, NOT_DONE, owner=STALLED, now=13))
    run(finish(store, NOT_DONE, STALLED))

    assert outcome(store, run) == (WriteOutcome.UNKNOWN, None)
    assert run(store.by_id(taken_over)).owner == OTHER

    run(store.note(taken_over, 0, DONE, owner=OTHER, now=14))

    assert outcome(store, run) == (WriteOutcome.APPLIED, "1")


def test_what_a_stalled_gateway_did_counts(taken_over, store, run):
    run(store.note(taken_over, 0, DONE, owner=STALLED, now=13))

    assert outcome(store, run) == (WriteOutcome.APPLIED, "1")


def test_what_a_stalled_gateway_did_counts_when_it_comes_with_the_end(taken_over, store, run):
    """The last answer of a write is not noted by itself."""
    run(finish(store, DONE, STALLED))

    assert outcome(store, run) == (WriteOutcome.APPLIED, "1")
    operation = run(store.by_id(taken_over))
    assert (operation.owner, operation.finished, operation.targets[0].linked) == (OTHER, False, False)


@pytest.mark.parametrize("result", [DONE, NOT_DONE])
@pytest.mark.parametrize("owner", [OTHER, STALLED])
def test_an_answer_whose_note_failed_is_in_the_record_with_the_end(result, owner, taken_over, store, run):
    """Its note was still under way when the end was begun."""
    run(finish(store, result, owner, noted={0: False}))

    counts = owner == OTHER or result is DONE
    assert outcome(store, run) == ((result.outcome, result.key and "1") if counts else (WriteOutcome.UNKNOWN, None))
    operation = run(store.by_id(taken_over))
    assert (operation.finished, operation.targets[0].linked) == (owner == OTHER, owner == OTHER and result is DONE)


def test_an_answer_that_is_surely_there_is_not_noted_again(taken_over, store, run, monkeypatch):
    run(store.note(taken_over, 0, DONE, owner=OTHER, now=13))

    def fails(*_):
        raise AssertionError("it was noted twice")

    monkeypatch.setattr("gateway.store.operation_end.answer_row", fails)
    run(finish(store, DONE, OTHER, noted={0: False}))

    operation = run(store.by_id(taken_over))
    assert (operation.finished, operation.targets[0].linked) == (True, True)


def test_an_answer_that_is_there_already_stays(taken_over, store, run):
    run(store.note(taken_over, 0, DONE, owner=OTHER, now=13))
    run(store.note(taken_over, 0, NOT_DONE, owner=OTHER, now=14))
    run(finish(store, NOT_DONE, OTHER))

    assert outcome(store, run) == (WriteOutcome.APPLIED, "1")


def test_a_stalled_gateway_does_not_say_that_it_has_linked_what_another_one_made(taken_over, store, run):
    """The one that made it may be killed before it has linked it; whoever takes over then has to see that."""
    run(store.note(taken_over, 0, DONE, owner=OTHER, now=13))
    run(finish(store, NOT_DONE, STALLED))

    operation = run(store.by_id(taken_over))
    assert (operation.finished, operation.targets[0].linked) == (False, False)

    run(finish(store, DONE, OTHER))

    operation = run(store.by_id(taken_over))
    assert (operation.finished, operation.targets[0].linked) == (True, True)


def test_ids_begin_with_the_time_and_are_never_the_same_again() -> None:
    times = (0, 1, 1_764_000_000_000, 1_764_000_000_001, 2**48 - 1)
    ids = [[UUID(new_id(now)) for _ in range(64)] for now in times]
    assert [{one.int >> 80 for one in some} for some in ids] == [{now} for now in times]
    every = [one for some in ids for one in some]
    assert len({one.int & (2**62 - 1) for one in every}) == len(every)
    assert {(one.version, one.variant) for one in every} == {(7, RFC_4122)}
    assert all(_UUID.fullmatch(str(one)) for one in every)
