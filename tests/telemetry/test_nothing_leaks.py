"""Of contacts, callers and credentials nothing stands in logs, metrics and traces, whatever goes wrong."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.sandbox.credentials import COMETLY_KEY, GATELY_KEY, GATELY_PROJECT_ID, KLEN_KEY
from gateway.sandbox.faults import FAULT_KINDS, Fault
from gateway.sandbox.magic import MAGIC
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.server import RunningSandbox
from tests.cli.conftest import Process, Started
from tests.failures.outcomes import BY_EMAIL, CREATE, DELETE, PROVIDERS, READ, UPDATE, contact_id
from tests.telemetry.receiver import Receiver

METRICS_TOKEN = "zqtoken-of-the-scraper"
MARKED: dict[str, Any] = {
    "name": "Zqname Zqfamily",
    "firstName": "Zqname",
    "lastName": "Zqfamily",
    "phones": [{"number": "+358 40 765 4321"}],
    "notes": "zqnotes",
}
EMAIL = "zqmail@zqhouse.test"
# In upper or lower case. What comes back from the simulators' seeds belongs to somebody too.
PERSONAL = ("zqname", "zqfamily", "zqmail", "zqhouse", "zqnotes", "zqcursor", "zqsearch", "zqbaggage", "7654321")
PERSONAL += ("fault.test", "ada.winter", "northwind")
IDEMPOTENCY_KEY = "zqidempotency"
SECRETS = (GATELY_KEY, COMETLY_KEY, KLEN_KEY, GATELY_PROJECT_ID, METRICS_TOKEN, IDEMPOTENCY_KEY)
SEARCH = '{ contacts(first: 1, filter: {search: "zqsearch"}) { nodes { name } } }'
HEADERS = {
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "baggage": "user=zqbaggage",
    "X-Forwarded-For": "203.0.113.77",
}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Started]:
    with ExitStack() as stack:
        yield Started(tmp_path, stack)


class Client:
    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._http = httpx.Client(trust_env=False, timeout=30, headers={"Authorization": f"Bearer {key}", **HEADERS})

    def send(self, query: str, **variables: Any) -> int:
        body = {"query": query, "variables": variables}
        return self._http.post(f"{self._url}/graphql?zqname=zqmail", json=body).status_code

    def create(self, *emails: str, **changes: Any) -> None:
        addresses = [{"address": address} for address in emails]
        self.send(CREATE, input={**MARKED, "emails": addresses, **changes})

    def wrong(self) -> None:
        """Whatever the HTTP face refuses."""
        for content in (b"zqname", b'{"query": "{ zqname }"}', b'{"query": 1}', b'{"query": "{"}'):
            self._http.post(f"{self._url}/graphql", content=content, headers={"Content-Type": "application/json"})
        self._http.get(f"{self._url}/zqname?email=zqmail")
        self._http.post(f"{self._url}/graphql", json={"query": "{ x }"}, headers={"Authorization": "Bearer zqmail"})

    def metrics(self) -> str:
        headers = {"Authorization": f"Bearer {METRICS_TOKEN}"}
        reply = self._http.get(f"{self._url}/metrics", headers=headers)
        assert reply.status_code == 200
        return reply.text

    def close(self) -> None:
        self._http.close()


def everything_goes_wrong(client: Client, sandbox: Sandbox) -> None:
    def meet(word: str) -> None:
        client.create(*(f"{word}.{provider.lower()}@fault.test" for provider in PROVIDERS), EMAIL)

    with ThreadPoolExecutor(8) as callers:
        list(callers.map(meet, MAGIC))
    for kind in FAULT_KINDS:
        status = 422 if kind == "status" else None
        for simulator in sandbox.simulators:
            simulator.faults.clear()
            simulator.faults.add(Fault(kind=kind, status=status, code="zqname", message="zqname zqmail", delay_ms=50))
        with ThreadPoolExecutor(8) as callers:
            callers.submit(client.send, BY_EMAIL, email=EMAIL)
            callers.submit(client.send, DELETE, input={"id": contact_id("KLEN")})
            for provider in PROVIDERS:
                changes = {"id": contact_id(provider), "firstName": "Zqname", "company": "zqhouse"}
                callers.submit(client.send, READ, id=contact_id(provider))
                callers.submit(client.send, UPDATE, input=changes)
    for simulator in sandbox.simulators:
        simulator.faults.clear()


def test_whatever_goes_wrong(
    start: Started, running_sandbox: RunningSandbox, sandbox: Sandbox, receiver: Receiver
) -> None:
    keys = start("keys", "create", "zqowner", "--scope", "contacts:write")
    assert keys.wait() == 0
    key = keys.stdout.strip()
    process: Process = start(
        "serve",
        **running_sandbox.environment(),
        GATEWAY_AUTHENTICATION="required",
        GATEWAY_ATTEMPT_TIMEOUT_SECONDS="0.2",
        GATEWAY_RATE_BUDGETS="off",
        GATEWAY_BREAKER="off",
        GATEWAY_RETRIES="0",
        GATEWAY_METRICS="on",
        GATEWAY_METRICS_TOKEN=METRICS_TOKEN,
        GATEWAY_TRACES="otlp",
        GATEWAY_LOG_LEVEL="debug",
        GATEWAY_LOG_REQUESTS="on",
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url,
    )
    client = Client(process.address(r"GraphQL and GraphiQL: (.*)/graphql"), key)

    client.create(EMAIL, idempotencyKey=IDEMPOTENCY_KEY)
    client.send(SEARCH)
    client.send(f'{{ contacts(first: 1, after: "zqcursor{EMAIL}") {{ nodes {{ name }} }} }}')
    everything_goes_wrong(client, sandbox)
    client.wrong()
    metrics = client.metrics()
    client.close()
    assert process.end(signal.SIGTERM) == 0

    # Each place tells something, or what is not in it would prove nothing.
    lines = [json.loads(line) for line in process.stderr.splitlines()]
    assert "request" in {line["event"] for line in lines}
    assert "contact_gateway_operations_total{" in metrics
    assert {span.name for span in receiver.spans} >= {"query", "mutation", "klen create", "gately read"}
    secret = key.split("_")[2]
    exported = b"".join(receiver.bodies).decode("latin-1")
    for place, text in (("log", process.stderr + process.stdout), ("metrics", metrics), ("spans", exported)):
        found = [one for one in PERSONAL if one in text.lower()]
        found += [one for one in (*SECRETS, secret, "zqowner", "203.0.113.77") if one in text]
        assert found == [], f"in the {place}"
