"""The example of docs/incremental.md runs, and its parts come as the page says."""

import json
import re
from pathlib import Path

from tests.conftest import Gateway
from tests.parts.conftest import merged

PAGE = (Path(__file__).parents[2] / "docs" / "incremental.md").read_text(encoding="utf-8")
(EXAMPLE,) = re.findall(r"```graphql\n(.*?)```", PAGE, re.DOTALL)


def test_the_example_fills_a_page(gateway: Gateway) -> None:
    accept = "multipart/mixed;incrementalSpec=v0.2, application/json"
    reply = gateway.request("POST", "/graphql", json={"query": EXAMPLE}, headers={"Accept": accept})

    assert f"`{reply.headers['content-type']}`" in PAGE
    parts = [json.loads(one.split("\r\n\r\n")[1]) for one in reply.text.split("\r\n---")[1:-1]]
    assert parts[0]["data"] == {"contacts": {"edges": []}}
    page = merged(parts)["data"]["contacts"]
    assert len(page["edges"]) == 6
    assert set(page) == {"edges", "pageInfo", "totalCount", "sources"}


def test_who_takes_json_only_gets_it_whole(gateway: Gateway) -> None:
    assert len(gateway.data(EXAMPLE)["contacts"]["edges"]) == 6
