"""Operations made up from the schema, sent to the served gateway: whatever they ask, it is answered as GraphQL."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import parse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import nodes
from hypothesis_graphql import strategies as graphql_strategies

from gateway.domain.contact import Provider, RecordKey
from gateway.domain.identity import contact_id, record_id

SCHEMA = (Path(__file__).parents[2] / "schema.graphql").read_text(encoding="utf-8")
SEEDED = [
    RecordKey(Provider.GATELY, "6f3d0001-0000-4000-8000-000000000001"),
    RecordKey(Provider.KLEN, "9001"),
    RecordKey(Provider.COMETLY, "48001"),
]
ADDRESSES = ["ines@fuzz.test", "429.klen@fault.test", "html.gately@fault.test", "drop-after.cometly@fault.test", "x"]
SCALARS = {
    "DateTime": st.sampled_from(["2031-03-04T05:06:07Z", "2031-13-40", "", "0000-00-00T00:00:00Z"]).map(nodes.String),
    "JSON": st.one_of(st.integers().map(nodes.Int), st.text(max_size=5).map(nodes.String), st.just(nodes.Null)),
    # Mostly of contacts that are there, so that what is below them is asked for too.
    "ID": st.one_of(
        *(st.sampled_from([make(key) for key in SEEDED]) for make in (contact_id, record_id)),
        st.sampled_from([contact_id(RecordKey(Provider.KLEN, "1")), "", "0", "\u0000", "a:b"]),
    ).map(nodes.String),
}
# Any JSON, as what a caller may send for a variable.
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)
VARIABLES = {
    "CreateContactInput!": "mutation($v: CreateContactInput!) { createContact(input: $v) { status } }",
    "UpdateContactInput!": "mutation($v: UpdateContactInput!) { updateContact(input: $v) { status } }",
    "ContactFilter": "query($v: ContactFilter) { contacts(filter: $v, first: 1) { totalCount } }",
    "[ID!]!": "query($v: [ID!]!) { nodes(ids: $v) { id } }",
    "Int!": "query($v: Int!) { contacts(first: $v) { totalCount } }",
}
TEXT = st.text(max_size=20)
NAMED = st.fixed_dictionaries(
    {
        "name": TEXT.map(lambda text: f"A {text}"),
        "emails": st.sampled_from(ADDRESSES).map(lambda one: [{"address": one}]),
    },
    optional={
        "phones": st.lists(st.fixed_dictionaries({"number": st.sampled_from(["+358400000001", "12", ""])}), max_size=3),
        "addresses": st.lists(st.fixed_dictionaries({}, optional={"street": TEXT, "formatted": TEXT}), max_size=2),
        "tags": st.lists(TEXT, max_size=3),
        "customFields": st.dictionaries(TEXT, ANY_JSON, max_size=3) | ANY_JSON,
        "status": st.sampled_from(["NEW", "ARCHIVED", None]),
        "providers": st.lists(st.sampled_from(["GATELY", "COMETLY", "KLEN"]), max_size=3),
        "dryRun": st.booleans(),
        "idempotencyKey": TEXT,
        "klen": st.fixed_dictionaries({}, optional={"teamId": st.integers(), "industryContext": ANY_JSON}),
    },
)
WRITE = """
  mutation Write($input: CreateContactInput!) {
    upsertContact(input: $input) {
      status contact { id name emails { address } customFields }
      results { provider outcome warnings { code field } ... on ProviderWriteSuccess { record { raw } } }
    }
  }
"""
bounded = settings(max_examples=150, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    headers = {"Accept": "application/graphql-response+json"}
    with httpx.Client(trust_env=False, verify=False, headers=headers, timeout=40) as one:
        yield one


def answered(client: httpx.Client, url: str, body: dict[str, Any]) -> None:
    reply = client.post(url, content=json.dumps(body), headers={"Content-Type": "application/json"})

    assert reply.status_code < 500, (reply.status_code, reply.text)
    answer = reply.json()
    assert set(answer) <= {"data", "errors", "extensions"}
    assert "data" in answer or answer["errors"]
    codes = [error["extensions"]["code"] for error in answer.get("errors", ())]
    assert "INTERNAL_ERROR" not in codes, answer["errors"]
    assert (reply.status_code == 200) == ("data" in answer)


@given(document=graphql_strategies.queries(SCHEMA, custom_scalars=SCALARS))
@bounded
def test_any_query_is_answered(client: httpx.Client, gateway_url: str, document: str) -> None:
    parse(document)
    answered(client, gateway_url, {"query": document})


@given(document=graphql_strategies.mutations(SCHEMA, custom_scalars=SCALARS))
@bounded
def test_any_mutation_is_answered(client: httpx.Client, gateway_url: str, document: str) -> None:
    parse(document)
    answered(client, gateway_url, {"query": document})


@pytest.mark.parametrize("type_", VARIABLES)
@given(value=ANY_JSON)
@settings(parent=bounded, max_examples=60)
def test_any_variable_is_answered(client: httpx.Client, gateway_url: str, type_: str, value: Any) -> None:
    answered(client, gateway_url, {"query": VARIABLES[type_], "variables": {"v": value}})


@given(contact=NAMED)
@settings(parent=bounded, max_examples=80)
def test_any_contact_is_written_or_refused(client: httpx.Client, gateway_url: str, contact: dict[str, Any]) -> None:
    answered(client, gateway_url, {"query": WRITE, "variables": {"input": contact}})
