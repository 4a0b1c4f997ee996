"""What a crash loop has to tell: figures, and each violation with everything that is known of it."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash.asking import USUAL
from tests.crash.counting import Counts
from tests.crash.jobs import Job, answers_met
from tests.crash.killer import Killer
from tests.crash.plan import LOST_ANSWERS, PROVIDERS, Plan
from tests.crash.witness import Witness


@dataclass
class Report:
    plan: Plan
    jobs: Sequence[Job]
    killer: Killer
    witness: Witness
    counts: Counts
    unfinished: Sequence[Job]
    logs: Sequence[Path]
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def violations(self) -> dict[str, list[str]]:
        found = {email: list(sentences) for email, sentences in self.counts.violations.items()}
        for job in self.unfinished:
            found.setdefault(job.email, []).append(f"never SUCCEEDED; last answers: {job.answers[-3:]}")
        for job in self.jobs:
            if odd := sorted(set(job.answers) - USUAL):
                found.setdefault(job.email, []).append(f"was answered {', '.join(odd)}")
        whole = [*self.killer.complaints]
        if self.killer.kills < self.plan.kills:
            whole.append(f"only {self.killer.kills} of {self.plan.kills} kills in {self.plan.seconds:.0f} seconds")
        if whole:
            found.setdefault("", []).extend(whole)
        return found

    def incidents(self) -> Counter[str]:
        """What the gateway itself reported as an error or warning, and what it never meant to print."""
        found: Counter[str] = Counter()
        for line in (line for log in self.logs for line in log.read_text(errors="replace").splitlines()):
            try:
                event = json.loads(line)
            except ValueError:
                if not line.startswith(("GraphQL and GraphiQL:", "Providers:")):
                    found[f"printed: {line[:120]}"] += 1
                continue
            if event.get("level") in ("error", "warning", "critical"):
                found[f"{event['event']} ({event.get('error')})"] += 1
        return found

    def found_by_looking(self) -> Counter[str]:
        """Creations that the provider carried out and that the gateway can only know of by looking: no usable
        answer ever came, or the gateway was killed before it noted one; and nothing was sent again since."""
        found: Counter[str] = Counter()
        for key, creations in self.witness.creations().items():
            last = creations[-1]
            if last.fault in LOST_ANSWERS:
                found["after an answer was lost"] += 1
            elif self.killer.lost.get(key, 0.0) > last.at:
                found["after a kill"] += 1
        return found

    def figures(self) -> dict[str, str]:
        creations = self.witness.creations()
        struck = self.witness.faults()
        answers = answers_met(list(self.jobs))
        found = self.found_by_looking()
        asked = sum(answers.values())
        return {
            "creates": f"{len(self.jobs)}, at {len(PROVIDERS)} providers each",
            "gateway processes": f"{self.plan.gateways} on {self.killer.outside.url.split(':')[0].split('+')[0]}",
            "seed": f"{self.plan.seed}",
            "kills (SIGKILL)": f"{self.killer.kills}: {_listed(self.killer.moments)}",
            "writes a kill interrupted": f"{self.killer.interrupted.total()}: {_listed(self.killer.interrupted)}",
            "faults at creations": f"{struck['creations'].total()}: {_listed(struck['creations'])}",
            "faults at look-ups": f"{struck['look-ups'].total()}: {_listed(struck['look-ups'])}",
            "requests by clients": f"{asked}, of which replays {asked - len(self.jobs)}",
            "answers": _listed(answers),
            "requests at providers": f"{len(self.witness.seen)}, creations {sum(map(len, creations.values()))}",
            "creations sent again": f"{sum(len(sent) - 1 for sent in creations.values())}",
            "looked up and found": f"{found.total()}: {_listed(found)}",
            "logged by the gateway": _listed(self.incidents()) or "nothing",
            "duplicates": f"{self.counts.duplicates}",
            "missing": f"{self.counts.missing}",
            "wrong links": f"{len(self.counts.wrongly_linked)}",
            "violations": f"{sum(map(len, self.violations.values()))}",
            "seconds": ", ".join(f"{name} {seconds:.0f}" for name, seconds in self.seconds.items()),
        }

    def __str__(self) -> str:
        lines = [f"{name:26} {told}" for name, told in self.figures().items()]
        return "\n".join([*lines, *self._told_violations()])

    def _told_violations(self) -> list[str]:
        lines = []
        jobs = {job.email: job for job in self.jobs}
        for email, sentences in list(self.violations.items())[:20]:
            job = jobs.get(email)
            named = f"contact {email}, operation {', '.join(sorted(job.operation_ids))}, key {job.key}" if job else ""
            lines += ["", f"VIOLATION {named or 'of the whole'}", *(f"  {sentence}" for sentence in sentences[:12])]
            if job:
                lines += [f"  answers: {', '.join(job.answers[-60:])}", "  at the simulators:"]
                lines += [f"    {one}" for one in self.witness.about(email) if one.at <= self.killer.ended_at][:80]
        return lines


def _listed(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counter.most_common())
