"""`gateway keys` as real processes beside a real gateway, and what the commands refuse."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from click.testing import Result

from gateway.sandbox.server import RunningSandbox
from tests.cli.conftest import Process, Started
from tests.cli.test_serve import ADDRESS
from tests.writes.rig import until

KEY = r"cgw_([0-9a-f]{16})_[0-9a-f]{64}\n"
TYPENAME = '{"query": "{ __typename }"}'


def status(gateway: Process, key: str | None = None) -> int:
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
    with httpx.Client(trust_env=False, verify=False, timeout=30) as client:
        return client.post(f"{gateway.address(ADDRESS)}/graphql", content=TYPENAME, headers=headers).status_code


def made(start: Started, *words: str) -> tuple[str, str]:
    """The id of a new key, and the key."""
    process = start("keys", "create", *words)
    assert process.wait() == 0, process.stderr
    read = re.fullmatch(KEY, process.stdout)
    assert read, process.stdout
    return read[1], process.stdout.strip()


class TestAsProcesses:
    def test_a_key_from_its_making_to_its_end(self, start: Started, simulators: RunningSandbox, tmp_path: Path) -> None:
        required = {**simulators.environment(), "GATEWAY_AUTHENTICATION": "required"}
        refused = start("serve", **required)
        assert (refused.wait(), refused.stdout) == (1, "")
        assert re.match(r"GATEWAY_AUTHENTICATION: .*`gateway keys create NAME --scope contacts:read`", refused.stderr)
        assert refused.stderr.count("\n") == 1

        key_id, key = made(start, "web shop [EU]", "--scope", "contacts:read", "--scope", "contacts:write:klen")
        gateway = start("serve", **required)
        assert (status(gateway), status(gateway, key)) == (401, 200)

        other_id, other = made(start, "for an hour", "--scope", "contacts:read", "--expires", "1h")
        assert status(gateway, other) == 200
        listed = start("keys", "list")
        assert (listed.wait(), listed.stderr) == (0, "")
        assert [key_id in listed.stdout, other_id in listed.stdout] == [True, True]
        assert [part for one in (key, other) for part in one.split("_")[2:] if part[:16] in listed.stdout] == []

        revoked = start("keys", "revoke", key_id)
        assert (revoked.wait(), revoked.stderr) == (0, "")
        assert revoked.stdout == "Revoked; within 5 seconds no gateway on this database takes it any more.\n"
        until(lambda: status(gateway, key) == 401)
        assert status(gateway, other) == 200
        assert key not in gateway.stdout + gateway.stderr
        assert key.split("_")[2].encode() not in (tmp_path / "contact-gateway.db").read_bytes()

    def test_the_demo_is_open_also_where_the_environment_says_otherwise(self, start: Started) -> None:
        demo = start("demo", GATEWAY_AUTHENTICATION="required", GATEWAY_MODE="production")
        address = demo.address(r"GraphiQL\s+(http://127\.0\.0\.1:\d+)/graphql")

        with httpx.Client(trust_env=False, verify=False, timeout=30) as client:
            reply = client.post(f"{address}/graphql", json={"query": "{ __typename }"})

        assert reply.status_code == 200


class TestList:
    def test_it_tells_all_but_the_secret(self, run: Callable[..., Result], start: Started) -> None:
        key = run("keys", "create", "web shop [EU]", "--scope", "contacts:read", "--expires", "90d").stdout.strip()
        key_id = key.split("_")[1]
        run("keys", "create", "another", "--scope", "contacts:write", "--scope", "contacts:write")
        run("keys", "revoke", key_id)

        listed = start("keys", "list", COLUMNS="200")
        assert listed.wait() == 0
        lines = [line.strip() for line in listed.stdout.splitlines()]

        assert lines[0].split() == ["id", "name", "scopes", "created", "expires", "state"]
        assert len(lines) == 3
        moment = r"\d{4}-\d\d-\d\d \d\d:\d\d UTC"
        assert re.fullmatch(
            rf"{key_id}\s+web shop \[EU\]\s+contacts:read\s+{moment}\s+{moment}\s+revoked {moment}\s*", lines[1]
        )
        assert re.fullmatch(rf"[0-9a-f]{{16}}\s+another\s+contacts:write\s+{moment}\s+never\s+valid\s*", lines[2])

    def test_in_a_narrow_terminal_an_id_is_whole_all_the_same(self, run: Callable[..., Result], start: Started) -> None:
        key = run("keys", "create", "a long name " * 5, "--scope", "contacts:read").stdout.strip()

        listed = start("keys", "list", COLUMNS="40")
        assert listed.wait() == 0
        assert key.split("_")[1] in listed.stdout


REFUSED: dict[str, tuple[tuple[str, ...], str]] = {
    "a scope that there is none of": (
        ("create", "x", "--scope", "contacts:admin"),
        "--scope: give one of contacts:read,",
    ),
    "a provider that there is none of": (("create", "x", "--scope", "contacts:read:acme"), "--scope: give one of"),
    "a blank name": (("create", " ", "--scope", "contacts:read"), "NAME: give 1 to 100"),
    "a name with a control sign": (("create", "a\x1b[31m", "--scope", "contacts:read"), "NAME: give"),
    "a long name": (("create", "x" * 101, "--scope", "contacts:read"), "NAME: give"),
    "an end that is no time": (("create", "x", "--scope", "contacts:read", "--expires", "soon"), "--expires: give"),
    "an end at once": (("create", "x", "--scope", "contacts:read", "--expires", "0d"), "--expires: give"),
    "an end too far away": (("create", "x", "--scope", "contacts:read", "--expires", "3651d"), "--expires: give"),
    "an id that is none": (("revoke", "0123456789abcdef"), "There is no key with this id"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_is_one_message(run: Callable[..., Result], name: str) -> None:
    words, message = REFUSED[name]

    result = run("keys", *words)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(message)
    assert result.stderr.count("\n") == 1
    assert "contacts:" not in run("keys", "list").stdout


def test_a_key_without_a_scope_is_none(run: Callable[..., Result]) -> None:
    result = run("keys", "create", "x")

    assert result.exit_code == 2
    assert "--scope" in result.stderr


def test_a_database_that_cannot_be_opened_is_one_message(run: Callable[..., Result]) -> None:
    result = run("keys", "list", GATEWAY_DATABASE_URL="sqlite:////nowhere/at/all.db")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("GATEWAY_DATABASE_URL: cannot be opened or created")


def test_off_is_refused_in_production_by_the_real_command(run: Callable[..., Result]) -> None:
    result = run("serve", KLEN_API_KEY="key", GATEWAY_MODE="production", GATEWAY_AUTHENTICATION="off")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("GATEWAY_AUTHENTICATION: off is for development on a loopback host only.")
