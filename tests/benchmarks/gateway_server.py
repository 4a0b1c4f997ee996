"""The gateway as it is measured: `gateway serve`, its policies on, what would measure something else off."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.benchmarks.server_process import ServerFailed, ServerProcess
from tests.benchmarks.wire_bodies import PROVIDERS
from tests.benchmarks.works import FIRST_PERSON, PERSONS, contact_id

ROOT = Path(__file__).parents[2]
SCRIPT = Path(sys.executable).parent / "gateway"
LINK = "mutation ($ids: [ID!]!) { linkContacts(input: { ids: $ids }) { contact { id } } }"
# The providers' published limits, and answers from memory, would be what is measured. Breaker, retries, single
# flight, deadlines and the journal of writes are as they always are. Callers that wait for one of the hundred
# calls at a time are not turned away: 32 operations of W5v make 800 of them at once.
SETTINGS = {
    "GATEWAY_RATE_BUDGETS": "off",
    "GATEWAY_READ_CACHE_SECONDS": "0",
    "GATEWAY_STALE_IF_ERROR_SECONDS": "0",
    "GATEWAY_MAX_ROOT_FIELDS": "50",
    "GATEWAY_MAX_WAITING_CALLS": "100000",
    "GATEWAY_GRAPHIQL": "off",
    "GATEWAY_INTROSPECTION": "off",
}
WITH_CACHE = {**SETTINGS, "GATEWAY_READ_CACHE_SECONDS": "600", "GATEWAY_STALE_IF_ERROR_SECONDS": "600"}


def gateway(
    name: str,
    folder: Path,
    upstream: str,
    core: int | str,
    settings: Mapping[str, str] = SETTINGS,
    *,
    script: Path = SCRIPT,
) -> ServerProcess:
    """`upstream` is the URL below which each provider has a path of its name; `script` runs this code, be it on another
    Python."""
    database = folder / f"{name.replace(' ', '-')}.db"
    server = ServerProcess(
        name=name,
        command=[script, "serve"],
        folder=folder,
        core=core,
        environment={
            "PYTHONPATH": str(ROOT),
            "GATEWAY_DATABASE_URL": f"sqlite:///{database}",
            "GATELY_API_KEY": "bench",
            "GATELY_BASE_URL": f"{upstream}/gately",
            "KLEN_API_KEY": "bench",
            "KLEN_BASE_URL": f"{upstream}/klen",
            "COMETLY_API_KEY": "bench",
            "COMETLY_BASE_URL": f"{upstream}/cometly",
            **settings,
        },
    )
    server.environment = {**server.environment, "GATEWAY_PORT": str(server.port)}
    return server


def link_persons(server: ServerProcess) -> None:
    """Those that W2 reads."""
    link_records(server, PROVIDERS, FIRST_PERSON, PERSONS)


def link_records(server: ServerProcess, providers: Sequence[str], first: int, count: int) -> None:
    """Once at the start: what these providers hold of a person becomes one contact.

    Raises:
        ServerFailed: when the gateway refuses.
    """
    for number in range(first, first + count):
        ids = [contact_id(provider, number) for provider in providers]
        answer = server.ask(json.dumps({"query": LINK, "variables": {"ids": ids}}))
        if "errors" in answer:
            raise ServerFailed(f"the gateway linked nobody: {answer['errors'][0]}")
