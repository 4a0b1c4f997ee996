"""python streams.py: the same walk as streams.mjs, with gql over graphql-transport-ws."""

import asyncio
import json
import os
import sys

from gql import Client, gql
from gql.transport.websockets import WebsocketsTransport

QUERY = "query { contacts(first: 1, providers: [GATELY]) { sources { provider state } } }"
WATCH = "subscription { providerStatusChanged(providers: [GATELY]) { provider state fault { code } } }"
CREATE = """mutation { createContact(input: {
  name: "Ines Aalto", emails: [{ address: "500.gately@fault.test" }], providers: [GATELY, KLEN]
}) { status } }"""


async def main() -> None:
    url = os.environ["GATEWAY_URL"].replace("http", "ws")
    subprotocols = [WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL]
    async with Client(transport=WebsocketsTransport(url=url, subprotocols=subprotocols)) as session:
        queried = await session.execute(gql(QUERY))
        events = []
        stream = session.subscribe(gql(WATCH))
        events.append((await anext(stream))["providerStatusChanged"])
        mutated = await session.execute(gql(CREATE))
        events.append((await anext(stream))["providerStatusChanged"])
        await stream.aclose()
        sys.stdout.write(json.dumps({"queried": queried, "mutated": mutated, "events": events}) + "\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


asyncio.run(main())
