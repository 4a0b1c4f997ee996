"""Asking the gateway as a client does: what came back is one word, and what it says of the records."""

from dataclasses import dataclass
from typing import Any

import httpx

from tests.crash.jobs import Job

_RESULTS = """
  status
  operationId
  results {
    provider
    outcome
    ... on ProviderWriteSuccess { action record { remoteId } }
    ... on ProviderWriteFailure { error { code message } }
  }
"""
# With the second one the gateway reads back what it wrote, which is one more thing that can fail.
_CREATION = (
    "mutation($input: CreateContactInput!) {{ createContact(input: $input) {{ {results} contact {{ {contact} }} }} }}"
)
CREATIONS = (
    _CREATION.format(results=_RESULTS, contact="id"),
    _CREATION.format(results=_RESULTS, contact="id name emails { address } records { id name }"),
)
RECONCILIATION = f"mutation($input: ReconcileWriteInput!) {{ answer: reconcileWrite(input: $input) {{ {_RESULTS} }} }}"
RETRY = f"mutation($input: RetryWriteInput!) {{ answer: retryWrite(input: $input) {{ {_RESULTS} }} }}"

# What a client meets although nothing is wrong with the gateway.
USUAL = frozenset(
    {
        "SUCCEEDED",
        "PARTIAL",
        "UNKNOWN",
        "FAILED",
        "NO CONNECTION",
        "NO ANSWER",
        "CLIENT LEFT",
        "IDEMPOTENCY_IN_PROGRESS",
    }
)
# Of answers that hold the outcome as data: reading the contact back failed.
_OF_PROVIDERS = frozenset({"PROVIDER_ERROR", "PROVIDER_TIMEOUT", "PROVIDER_BAD_RESPONSE", "RATE_LIMITED"}) | {
    "PROVIDER_UNAVAILABLE",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """`word` is the status of the write, or the code of the error in its place."""

    word: str
    actions: frozenset[str] = frozenset()
    operation_id: str | None = None
    whole: Any = None


class Asker:
    """One client; not to be shared between threads."""

    def __init__(self, seconds: float) -> None:
        self._client = httpx.Client(trust_env=False, verify=False, timeout=seconds)

    def close(self) -> None:
        self._client.close()

    def create(
        self, url: str, job: Job, *, read_back: bool = False, by_header: bool = False, seconds: float | None = None
    ) -> Answer:
        """`seconds`: the client leaves when that time is over, and never hears the answer."""
        asked = job.input if by_header else {**job.input, "idempotencyKey": job.key}
        headers = {"Idempotency-Key": f'"{job.key}"'} if by_header else {}
        return self._heard(job, self._post(url, CREATIONS[read_back], {"input": asked}, headers, seconds))

    def settle(self, url: str, job: Job, document: str) -> Answer:
        """`reconcileWrite` or `retryWrite` for an operation that is known to the client."""
        (operation_id, *_) = job.operation_ids
        return self._heard(job, self._post(url, document, {"input": {"operationId": operation_id}}, {}, None))

    def ask(self, url: str, document: str, **variables: Any) -> dict[str, Any]:
        reply = self._client.post(f"{url}/graphql", json={"query": document, "variables": variables})
        answer: dict[str, Any] = reply.json()
        return answer

    def _post(
        self, url: str, document: str, variables: Any, headers: dict[str, str], seconds: float | None
    ) -> dict[str, Any] | str:
        timeout = seconds if seconds is not None else self._client.timeout
        try:
            reply = self._client.post(
                f"{url}/graphql", json={"query": document, "variables": variables}, headers=headers, timeout=timeout
            )
            answer: dict[str, Any] = reply.json()
        except (httpx.ConnectError, httpx.ConnectTimeout):
            return "NO CONNECTION"
        except httpx.ReadTimeout:
            return "CLIENT LEFT" if seconds is not None else "NO ANSWER IN TIME"
        except httpx.TransportError:
            return "NO ANSWER"
        return answer

    def _heard(self, job: Job, answer: dict[str, Any] | str) -> Answer:
        read = Answer(answer) if isinstance(answer, str) else _read(answer)
        applied = {}
        if read.whole is not None:
            applied = {
                one["provider"].lower(): one["record"]["remoteId"]
                for one in read.whole["results"]
                if one["outcome"] == "APPLIED"
            }
        job.heard(read.word, read.operation_id, applied)
        return read


def _read(answer: dict[str, Any]) -> Answer:
    errors = answer.get("errors") or []
    codes = [error.get("extensions", {}).get("code") for error in errors]
    payload = next(iter((answer.get("data") or {}).values()), None)
    if payload is not None:
        odd = [str(code) for code in codes if code not in _OF_PROVIDERS]
        actions = frozenset(one.get("action", "") for one in payload["results"])
        return Answer(odd[0] if odd else payload["status"], actions, payload["operationId"], payload)
    if len(errors) != 1:
        return Answer(f"{len(errors)} ERRORS AND NO DATA")
    extensions = errors[0].get("extensions", {})
    if "providers" in extensions:
        return Answer("FAILED", operation_id=extensions.get("operationId"))
    return Answer(str(codes[0]))
