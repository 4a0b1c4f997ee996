"""The writing use cases put together: one journal, one set of locks, and the caretaker who works beside them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from gateway.contacts.caretaker import Caretaker
from gateway.contacts.directory import Directory
from gateway.contacts.journal import Journal
from gateway.contacts.locks import Locks
from gateway.contacts.looking import Looking
from gateway.contacts.matching import Matching
from gateway.contacts.preview import Previewing
from gateway.contacts.record_cache import RecordCaches
from gateway.contacts.sending import Sending
from gateway.contacts.settlement import Concluded, Settlement
from gateway.contacts.targets import Targets
from gateway.contacts.writing import Writing
from gateway.store.database import Database
from gateway.store.links import LinkStore
from gateway.store.locks import LockStore
from gateway.store.operations import OperationStore
from gateway.store.owner import new_owner

# For a process that is slow to write down what it has got.
_LEASE_MARGIN_SECONDS = 10.0


class WriteSettings(Protocol):
    """What the gateway's settings say of writes."""

    attempt_timeout_seconds: float
    mutation_deadline_seconds: float
    operation_retention: timedelta
    settling_seconds: float


@dataclass(frozen=True, slots=True)
class WriteSide:
    writing: Writing
    previewing: Previewing
    caretaker: Caretaker


def write_side(
    settings: WriteSettings, directory: Directory, database: Database, caches: RecordCaches, concluded: Concluded
) -> WriteSide:
    """`concluded` is told how each write has ended."""
    links, lock_store, owner = LinkStore(database), LockStore(database), new_owner()
    # Nothing is sent after the deadline; what is out then ends within one attempt.
    lease_seconds = settings.mutation_deadline_seconds + settings.attempt_timeout_seconds + _LEASE_MARGIN_SECONDS
    locks = Locks(lock_store, owner=owner, lease_seconds=lease_seconds)
    journal = Journal(
        OperationStore(database),
        owner=owner,
        lease_seconds=lease_seconds,
        settling_seconds=settings.settling_seconds,
    )
    targets = Targets(directory, links)
    matching = Matching(directory, links, targets)
    writing = Writing(
        targets=targets,
        matching=matching,
        sending=Sending(directory, links, locks, caches),
        looking=Looking(directory, targets, journal, locks),
        settlement=Settlement(directory, links, journal, concluded),
        journal=journal,
        locks=locks,
    )
    caretaker = Caretaker(
        writing,
        journal,
        lock_store,
        retention=settings.operation_retention,
        look_seconds=settings.mutation_deadline_seconds,
    )
    return WriteSide(writing, Previewing(directory, targets, matching), caretaker)
