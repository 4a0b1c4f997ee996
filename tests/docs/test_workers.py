"""docs/workers.md names the numbers and the settings that there are."""

from __future__ import annotations

import re
from pathlib import Path

from gateway import worker_places
from gateway.settings import GatewaySettings

TEXT = (Path(__file__).parents[2] / "docs/workers.md").read_text(encoding="utf-8")
WORDS = {1: "a second", 2: "two", 4: "four", 10: "ten seconds", 30: "thirty"}


def test_the_pauses_are_those_of_the_code() -> None:
    pauses = [worker_places.FIRST_PAUSE_SECONDS * 2**times for times in range(3)]
    first, second, third = (WORDS[int(pause)] for pause in pauses)

    assert f"served for {WORDS[int(worker_places.HEALTHY_SECONDS)]} or ended with 0" in TEXT.replace("\n", " ")
    assert f"else after {first}, then {second}, {third}" in TEXT.replace("\n", " ")
    assert f"at most {WORDS[int(worker_places.LONGEST_PAUSE_SECONDS)]}" in TEXT.replace("\n", " ")


def test_every_setting_exists() -> None:
    named = {name.lower() for name in re.findall(r"GATEWAY_([A-Z_]+)", TEXT)}

    assert named <= set(GatewaySettings.model_fields)
