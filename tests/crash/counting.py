"""The count at the end: at the providers, through GraphQL, and in the gateway's database."""

import json
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from gateway.sandbox.sandbox import Sandbox
from tests.crash.asking import Asker
from tests.crash.database import Outside, Recorded
from tests.crash.jobs import Job
from tests.crash.plan import PROVIDERS
from tests.crash.witness import EMAIL

_BY_EMAIL = """query($email: String!) {
  contactsByEmail(email: $email) { contacts { id records { provider remoteId } } sources { provider state } }
}"""
_BY_ID = """query($id: ID!, $record: ID!) {
  contact(id: $id) { id records { provider remoteId } }
  node(id: $record) { ... on ContactRecord { contact { id } } }
}"""
_END_SECONDS = 20.0

Records = set[tuple[str, str]]


@dataclass
class Counts:
    """`violations` are sentences by the email address that they are about; "" for those about the whole."""

    duplicates: int = 0
    missing: int = 0
    wrongly_linked: set[str] = field(default_factory=set)
    violations: dict[str, list[str]] = field(default_factory=dict)

    def violated(self, email: str, sentence: str) -> None:
        self.violations.setdefault(email, []).append(sentence)


def held(sandbox: Sandbox) -> dict[str, Counter[str]]:
    """How many contacts each provider has."""
    return {one.provider: Counter(_ids(one.describe_contacts())) for one in sandbox.simulators}


def _ids(contacts: Sequence[Mapping[str, Any]]) -> list[str]:
    return [str(contact["id"]) for contact in contacts]


@dataclass
class Count:
    """`before` is what the providers held before the first creation."""

    sandbox: Sandbox
    outside: Outside
    jobs: Sequence[Job]
    before: dict[str, Counter[str]]
    counts: Counts = field(default_factory=Counts)

    def take(self, urls: Sequence[str]) -> Counts:
        made = self._at_the_providers()
        self._in_the_database(made)
        asker = Asker(30)
        try:
            for number, job in enumerate(self.jobs):
                # Of a contact that a provider lacks or has twice there is no right link.
                if len(made[job.email]) == len(PROVIDERS):
                    self._through_graphql(asker, urls[number % len(urls)], job, made[job.email])
        finally:
            asker.close()
        for job in self.jobs:
            self._as_answered(job, made[job.email])
        return self.counts

    def _at_the_providers(self) -> dict[str, Records]:
        made: dict[str, Records] = {job.email: set() for job in self.jobs}
        for simulator in self.sandbox.simulators:
            found: dict[str, list[str]] = {email: [] for email in made}
            strangers = 0
            for contact in simulator.describe_contacts():
                address = EMAIL.search(json.dumps(contact))
                if address and address[0] in found:
                    found[address[0]].append(str(contact["id"]))
                elif str(contact["id"]) not in self.before[simulator.provider]:
                    strangers += 1
            if strangers:
                self.counts.violated("", f"{simulator.provider} holds {strangers} new contacts that nobody asked for")
            for email, ids in found.items():
                made[email] |= {(simulator.provider, one) for one in ids}
                if not ids:
                    self.counts.missing += 1
                    self.counts.violated(email, f"missing at {simulator.provider}")
                if len(ids) > 1:
                    self.counts.duplicates += len(ids) - 1
                    self.counts.violated(email, f"{len(ids)} times at {simulator.provider}: {', '.join(ids)}")
        return made

    def _in_the_database(self, made: Mapping[str, Records]) -> None:
        emails = {job.key: job.email for job in self.jobs}
        operations = self._when_all_are_at_their_end()
        for key, count in Counter(operation.key for operation in operations).items():
            if key not in emails or count != 1:
                self.counts.violated(emails.get(key, ""), f"{count} operations are recorded under the key {key}")
        for operation in operations:
            if complaint := _unended(operation):
                self.counts.violated(emails.get(operation.key, ""), f"operation {operation.id} {complaint}")
        if lacking := len(self.jobs) - len(operations):
            self.counts.violated("", f"{lacking} operations are not recorded")
        for complaint in self.outside.complaints():
            self.counts.violated("", f"the database: {complaint}")
        families = set(self.outside.families())
        for email, records in made.items():
            if frozenset(records) not in families:
                self.counts.wrongly_linked.add(email)
                linked = [sorted(family) for family in families if family & records]
                self.counts.violated(email, f"linked are {linked} instead of {sorted(records)}")
        if others := families - {frozenset(records) for records in made.values()}:
            strangers = [sorted(family) for family in others]
            self.counts.violated("", f"{len(others)} links that should not be: {strangers[:5]}")

    def _when_all_are_at_their_end(self) -> list[Recorded]:
        """What the gateway does on its own may be under way for a moment after the last answer."""
        until = time.monotonic() + _END_SECONDS
        while True:
            operations = self.outside.operations()
            if time.monotonic() > until or not any(map(_unended, operations)):
                return operations
            time.sleep(0.5)

    def _through_graphql(self, asker: Asker, url: str, job: Job, records: Records) -> None:
        """By its address and from each of its records: one contact, with the same id and the same records."""
        wanted = sorted(records)
        contacts = _read(lambda: asker.ask(url, _BY_EMAIL, email=job.email)["data"]["contactsByEmail"]["contacts"])
        ids = _read(lambda: [contact["id"] for contact in contacts])
        seen: dict[str, tuple[Any, Any]] = {
            "contactsByEmail": (_read(lambda: [_records(contact) for contact in contacts]), [wanted])
        }
        for key in wanted:
            answer = asker.ask(url, _BY_ID, id=_global_id("Contact", key), record=_global_id("ContactRecord", key))
            data = answer.get("data") or {}
            seen[f"contact of {key}"] = (_read(partial(_of_contact, data, _records)), wanted)
            seen[f"id of the contact of {key}"] = (_read(partial(_of_contact, data, _id)), ids)
            seen[f"id by the record {key}"] = (_read(partial(_of_contact, data.get("node"), _id)), ids)
        for name, (found, right) in seen.items():
            if found != right:
                self.counts.wrongly_linked.add(job.email)
                self.counts.violated(job.email, f"{name} is {found}, not {right}")

    def _as_answered(self, job: Job, records: Records) -> None:
        """What clients were told while it stormed has to be what came of it."""
        if len(job.operation_ids) > 1:
            self.counts.violated(job.email, f"answers named several operations: {sorted(job.operation_ids)}")
        told = {(provider, one) for provider, ids in job.record_ids.items() for one in ids}
        if told - records:
            self.counts.violated(job.email, f"answers named records that are not there: {sorted(told - records)}")
        if records - told:
            self.counts.violated(job.email, f"no answer ever named {sorted(records - told)}")


def _unended(operation: Recorded) -> str | None:
    outcomes = Counter(share.outcome for share in operation.shares)
    if outcomes != {"APPLIED": len(PROVIDERS)}:
        return f"ended with {dict(outcomes)}"
    if not operation.finished or operation.owner:
        return f"is unfinished (owner {operation.owner})"
    if operation.look_at is not None or operation.has_intent:
        return "is done, but is still to be looked at, or keeps what was asked for"
    return None


def _read(take: Callable[[], Any]) -> Any:
    """What an answer holds, or in its place what it lacks."""
    try:
        return take()
    except (KeyError, TypeError, ValueError) as odd:
        return f"an answer without {odd!r}"


def _of_contact(data: Any, take: Callable[[dict[str, Any]], Any]) -> Any:
    return take(data["contact"])


def _id(contact: dict[str, Any]) -> list[str]:
    return [contact["id"]]


def _records(contact: dict[str, Any]) -> list[tuple[str, str]]:
    return sorted((one["provider"].lower(), one["remoteId"]) for one in contact["records"])


def _global_id(kind: str, key: tuple[str, str]) -> str:
    return b64encode(f"{kind}:{key[0]}:{key[1]}".encode()).decode()
