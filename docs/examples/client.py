# client.py: creates a contact at every provider and asks again until it is known what became of it.
import asyncio
import os

from gql import Client, GraphQLRequest
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.exceptions import TransportError, TransportQueryError

URL = os.environ.get("GATEWAY_URL", "http://127.0.0.1:8000/graphql")
CREATE_CONTACT = """
  mutation CreateContact($input: CreateContactInput!) {
    createContact(input: $input) {
      status
      contact { id }
      results {
        provider
        outcome
        ... on ProviderWriteFailure { error { code message retryable retryAfterMs } }
      }
    }
  }
"""


def passing(written: dict | None, refusal: dict | None) -> list[dict]:
    """The faults that asking again may get over: an unknown outcome, a retryable failure, no answer at all."""
    if written:
        failures = [result for result in written["results"] if result["outcome"] != "APPLIED"]
        return [one["error"] for one in failures if one["outcome"] == "UNKNOWN" or one["error"]["retryable"]]
    if refusal:
        return refusal.get("providers", [refusal]) if refusal.get("retryable") else []
    return [{}]


async def create_contact(contact: dict, idempotency_key: str) -> dict:
    """One key per user action, such as str(uuid4()): keep it for as long as the user may ask again."""
    variables = {"input": {**contact, "idempotencyKey": idempotency_key}}
    request = GraphQLRequest(CREATE_CONTACT, variable_values=variables)
    # A write takes up to 30 seconds; gql would give up after 10.
    client = Client(transport=AIOHTTPTransport(url=URL), execute_timeout=40)
    for attempt in range(1, 6):
        data, error, refusal = None, None, None
        try:
            data = await client.execute_async(request)
        except TransportQueryError as answered:
            data, error, refusal = answered.data, answered, answered.errors[0]["extensions"]
        except (TransportError, TimeoutError) as lost:
            error = lost
        written = data and data["createContact"]
        faults = passing(written, refusal)
        pause_ms = max([1000 * attempt, *(fault.get("retryAfterMs") or 0 for fault in faults)])
        if not faults or pause_ms > 10_000 or attempt == 5:
            break
        await asyncio.sleep(pause_ms / 1000)
    if written:
        return written  # SUCCEEDED; or PARTIAL or UNKNOWN so far
    raise error  # with extensions.providers: FAILED; without any answer: nobody knows yet
