"""python run.py <email address> [idempotency key]: runs client.py; exit status 0 only when SUCCEEDED."""
# ruff: noqa: T201 (a command speaks by printing)

import asyncio
import sys
from uuid import uuid4

from client import create_contact
from gql.transport.exceptions import TransportError, TransportQueryError


def tell(provider: str, outcome: str, error: dict | None = None) -> None:
    print(f"{provider} {outcome} {error['code']}: {error['message']}" if error else f"{provider} {outcome}")


async def main(address: str, key: str | None = None) -> int:
    try:
        written = await create_contact({"name": "Ines Aalto", "emails": [{"address": address}]}, key or str(uuid4()))
    except TransportQueryError as refusal:
        error = refusal.errors[0]
        extensions = error["extensions"]
        for fault in extensions.get("providers", []):
            tell(fault["provider"], "NOT_APPLIED", fault)
        failed = f"FAILED {extensions['code']} {extensions.get('operationId')}"
        print(failed if "providers" in extensions else f"{extensions['code']}: {error['message']}")
        return 1
    except (TransportError, TimeoutError) as lost:
        print(f"UNKNOWN {lost}")
        return 1
    for result in written["results"]:
        tell(result["provider"], result["outcome"], result.get("error"))
    print(f"{written['status']} {written['contact']['id']}" if written["contact"] else written["status"])
    return 0 if written["status"] == "SUCCEEDED" else 1


sys.exit(asyncio.run(main(*sys.argv[1:])))
