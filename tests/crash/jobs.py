"""A contact to be created once, and everything that the gateway ever answered about it."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

from tests.crash.plan import Plan


@dataclass
class Job:
    number: int
    email: str
    name: str
    key: str
    operation_ids: set[str] = field(default_factory=set)
    record_ids: dict[str, set[str]] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def input(self) -> dict[str, object]:
        return {"name": self.name, "emails": [{"address": self.email}]}

    def heard(self, word: str, operation_id: str | None, applied: dict[str, str]) -> None:
        with self.lock:
            self.answers.append(word)
            if operation_id:
                self.operation_ids.add(operation_id)
            for provider, remote_id in applied.items():
                self.record_ids.setdefault(provider, set()).add(remote_id)


def jobs_of(plan: Plan) -> list[Job]:
    chance = plan.chance("jobs")
    return [
        Job(
            number=number,
            email=f"crash-{plan.seed}-{number:05d}@crash.test",
            # Letters only: what reads names apart gives digits no place of their own.
            name=f"{_word(number)} {_word(plan.seed)}sson",
            key=str(UUID(int=chance.getrandbits(128), version=4)),
        )
        for number in range(plan.creates)
    ]


def _word(number: int) -> str:
    return "".join(chr(ord("a") + int(digit)) for digit in f"{number:05d}").capitalize()


def answers_met(jobs: list[Job]) -> Counter[str]:
    return Counter(word for job in jobs for word in job.answers)
