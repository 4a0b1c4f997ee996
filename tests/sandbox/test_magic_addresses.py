"""Each magic word at each provider: what a client sees, and whether its write was applied."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from gateway.sandbox.magic import MAGIC
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.seed.landmarks import EVERYWHERE_GATELY_ID, EVERYWHERE_KLEN_ID

# What is seen (a status, an exception, or what is odd about the body) and whether the write is applied.
SEEN: dict[str, tuple[object, bool]] = {
    **{word: (int(word), False) for word in MAGIC if word.isdigit()},
    "429-date": (429, False),
    "429-bare": (429, False),
    "500-after": (500, True),
    "503-retry": (503, False),
    "flaky": (503, False),
    "hang": ("ReadTimeout", False),
    "slow": ("right", True),
    "slow-after": ("right", True),
    "drip": ("right", True),
    "drop-before": ("RemoteProtocolError", False),
    "drop-after": ("RemoteProtocolError", True),
    "lost-answer": ("RemoteProtocolError", True),
    "lost-request": ("RemoteProtocolError", False),
    "html": ("not JSON", True),
    "cut-json": ("not JSON", True),
    "wrong-shape": ("right", True),
    "no-id": ("no id", True),
    "huge": ("huge", True),
    "redirect": (302, False),
}
PROVIDERS = ("gately", "cometly", "klen")


def create(client: httpx.Client, provider: str, email: str) -> httpx.Response:
    bodies: dict[str, dict[str, Any]] = {
        "gately": {"name": "Ines Aalto", "email": email},
        "cometly": {"emails": ["first@aalto.test", email]},
        "klen": {"first_name": "Ines", "email": email},
    }
    path = "/contacts/create" if provider == "klen" else "/contacts"
    return client.post(path, json=bodies[provider], timeout=0.1 if "hang" in email else 5)


def ids_of(answer: Any) -> list[object]:
    """The id of the answer, also where a wrong shape has wrapped it in a list."""
    return [one["id"] for one in (answer if isinstance(answer, list) else [answer]) if "id" in one]


def see(client: httpx.Client, provider: str, email: str) -> object:
    try:
        answer = create(client, provider, email)
    except httpx.TransportError as error:
        return type(error).__name__
    if not answer.is_success:
        return answer.status_code
    if len(answer.content) > 8 * 1024 * 1024:
        return "huge"
    try:
        return "right" if ids_of(answer.json()) else "no id"
    except ValueError:
        return "not JSON"


@pytest.mark.parametrize("word", sorted(MAGIC))
def test_the_word_strikes_its_provider_and_no_other(
    word: str, sandbox: Sandbox, clients: dict[str, httpx.Client]
) -> None:
    simulators: dict[str, Any] = {name: getattr(sandbox, name) for name in PROVIDERS}
    for struck in PROVIDERS:
        before = {name: len(simulators[name].contacts) for name in PROVIDERS}
        seen = {name: see(clients[name], name, f"{word}.{struck}@fault.test") for name in PROVIDERS}
        applied = {name: len(simulators[name].contacts) > before[name] for name in PROVIDERS}
        assert (seen.pop(struck), applied.pop(struck)) == SEEN[word]
        assert set(seen.values()) == {"right"}
        assert set(applied.values()) == {True}


def test_every_word_is_described_for_people() -> None:
    assert all(magic.description for magic in MAGIC.values())
    assert set(SEEN) == set(MAGIC)


def test_a_flaky_provider_recovers(gately: httpx.Client) -> None:
    statuses = [create(gately, "gately", "flaky.gately@fault.test").status_code for _ in range(2)]
    assert statuses == [503, 201]


def test_an_update_that_carries_the_address_is_struck(gately: httpx.Client, klen: httpx.Client) -> None:
    changed = gately.patch(f"/contacts/{EVERYWHERE_GATELY_ID}", json={"email": "503.gately@fault.test"})
    assert changed.status_code == 503
    changed = klen.patch(f"/contacts/{EVERYWHERE_KLEN_ID}/update", json={"email": "503.klen@fault.test"})
    assert changed.status_code == 503


def test_a_look_up_by_the_address_is_struck(gately: httpx.Client, klen: httpx.Client) -> None:
    for name, client in (("gately", gately), ("klen", klen)):
        assert client.get("/contacts", params={"search": f"503.{name}@fault.test"}).status_code == 503


def test_a_word_for_creations_leaves_look_ups_alone(gately: httpx.Client, klen: httpx.Client) -> None:
    for name, client in (("gately", gately), ("klen", klen)):
        address = f"lost-answer.{name}@fault.test"
        assert see(client, name, address) == "RemoteProtocolError"
        assert [one["email"] for one in client.get("/contacts", params={"search": address}).json()["contacts"]] == [
            address
        ]


def test_an_unknown_word_is_an_ordinary_address(gately: httpx.Client) -> None:
    assert create(gately, "gately", "sunshine.gately@fault.test").status_code == 201


def test_upper_case_is_understood(gately: httpx.Client) -> None:
    assert create(gately, "gately", "503.Gately@Fault.Test").status_code == 503
