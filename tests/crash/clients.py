"""Those who create contacts, and ask again with the same key whatever happens to them."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.crash.asking import RECONCILIATION, RETRY, Answer, Asker
from tests.crash.jobs import Job
from tests.crash.plan import ATTEMPT_SECONDS, MUTATION_SECONDS, Plan

ANSWER_SECONDS = MUTATION_SECONDS + 4 * ATTEMPT_SECONDS + 6
TRIES_IN_STORM = 30
TRIES_AFTERWARDS = 80


@dataclass
class Turns:
    """Creations are spread over the kills: each begins when its round has come."""

    round: int = 0
    over: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def next_round(self) -> None:
        with self._changed:
            self.round += 1
            self._changed.notify_all()

    def end(self) -> None:
        with self._changed:
            self.over = True
            self._changed.notify_all()

    def wait_for(self, round: int, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self.over or self.round >= round, timeout=seconds)


@dataclass
class Clients:
    plan: Plan
    urls: Sequence[str]
    turns: Turns
    until: float
    ended: bool = False

    def storm(self, jobs: Sequence[Job]) -> None:
        """Returns when every job was begun, and is done or was asked about often enough for now."""
        self._each(jobs, self._in_storm)

    def complete(self, jobs: Sequence[Job]) -> list[Job]:
        """Asks until each one has SUCCEEDED, in calm weather; returns those that never do."""
        return [job for job, done in zip(jobs, self._each(jobs, self._afterwards), strict=True) if not done]

    def _each(self, jobs: Sequence[Job], do: Callable[[Job, Asker, random.Random], bool]) -> list[bool]:
        done = [False] * len(jobs)
        numbers = iter(range(len(jobs)))
        lock = threading.Lock()

        def work(name: str) -> None:
            chance, asker = self.plan.chance(name), Asker(ANSWER_SECONDS)
            try:
                while True:
                    with lock:
                        number = next(numbers, None)
                    if number is None or self.ended:
                        return
                    done[number] = do(jobs[number], asker, chance)
            finally:
                asker.close()

        with ThreadPoolExecutor(self.plan.clients) as threads:
            try:
                for worker in [threads.submit(work, f"{do.__name__} {name}") for name in range(self.plan.clients)]:
                    worker.result()
            except BaseException:
                # Whatever ends the loop ends its clients, so that no gateway is left behind.
                self.ended = True
                self.turns.end()
                raise
        return done

    def _in_storm(self, job: Job, asker: Asker, chance: random.Random) -> bool:
        self.turns.wait_for(self.plan.round_of(job.number), max(0.0, self.until - time.monotonic()))
        time.sleep(chance.uniform(0, 0.8))
        refused = 0
        while refused < TRIES_IN_STORM and time.monotonic() < self.until and not self.ended:
            answer = self._ask_somehow(job, asker, chance)
            if answer.word == "SUCCEEDED":
                return True
            # While no gateway runs nobody answers, which says nothing of the contact.
            refused += answer.word != "NO CONNECTION"
            time.sleep(chance.uniform(0.02, 0.4))
        return False

    def _ask_somehow(self, job: Job, asker: Asker, chance: random.Random) -> Answer:
        if len(self.urls) > 1 and chance.random() < 0.3:
            return self._at_both(job, chance)
        url = chance.choice(self.urls)
        if job.operation_ids and chance.random() < 0.15:
            return asker.settle(url, job, chance.choice((RECONCILIATION, RETRY)))
        return asker.create(
            url,
            job,
            read_back=chance.random() < 0.3,
            by_header=chance.random() < 0.2,
            seconds=chance.uniform(0.01, 0.5) if chance.random() < 0.05 else None,
        )

    def _at_both(self, job: Job, chance: random.Random) -> Answer:
        """The same key at all gateways in the same moment."""

        def create(url: str) -> Answer:
            asker = Asker(ANSWER_SECONDS)
            try:
                return asker.create(url, job)
            finally:
                asker.close()

        with ThreadPoolExecutor(len(self.urls)) as threads:
            answers = list(threads.map(create, chance.sample(self.urls, len(self.urls))))
        return next((answer for answer in answers if answer.word == "SUCCEEDED"), answers[0])

    def _afterwards(self, job: Job, asker: Asker, chance: random.Random) -> bool:
        """The last answer is about a write that was done before: everything in it is told, nothing is sent."""
        for attempt in range(TRIES_AFTERWARDS):
            if self.ended:
                break
            answer = asker.create(self.urls[attempt % len(self.urls)], job)
            if answer.word == "SUCCEEDED" and answer.actions == {"REPLAYED"}:
                return True
            if answer.word != "SUCCEEDED":
                time.sleep(chance.uniform(0.1, 0.3))
        return False
