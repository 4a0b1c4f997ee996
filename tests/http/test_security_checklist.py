"""The known lists of what goes wrong with GraphQL endpoints, each item by its name, against a closed gateway.

graphql-cop's checks with what it sends; GraphQL Armor's limits at its defaults and just above; the OWASP GraphQL cheat
sheet. Each asks that nobody is called and that the refusal is one error, not a heap of them.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from gateway.sandbox.sandbox import Sandbox
from tests.conftest import Gateway

JSON = "application/json"


@pytest.fixture
def closed(start_gateway: Callable[..., Gateway]) -> Gateway:
    """As production has it: no GraphiQL, no introspection."""
    return start_gateway(graphiql="off", introspection="off")


@pytest.fixture(autouse=True)
def nobody_is_called(sandbox: Sandbox) -> Iterator[None]:
    yield
    assert [request for simulator in sandbox.simulators for request in simulator.requests] == []


def sent(gateway: Gateway, body: Any, **headers: str) -> httpx.Response:
    return gateway.request("POST", "/graphql", content=json.dumps(body), headers={"Content-Type": JSON, **headers})


def only_error(reply: httpx.Response) -> dict[str, Any]:
    answer = reply.json()
    assert "data" not in answer
    (error,) = answer["errors"]
    assert error["message"].strip()
    extensions: dict[str, Any] = error["extensions"]
    return extensions


def fragments(count: int) -> str:
    """Each spreads the next one twice: 2 to the power of `count` fields in a few hundred bytes."""
    chain = [f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(count)]
    return f"{{ ...F0 }} {' '.join(chain)} fragment F{count} on Query {{ __typename }}"


# What asks for too much, by the list it stands on. Each is refused with LIMIT_EXCEEDED.
TOO_MUCH = {
    "graphql-cop, alias overloading": "{" + " ".join(f"alias{n}: __typename" for n in range(101)) + "}",
    "graphql-cop, directive overloading": "query { __typename " + "@aa" * 10 + " }",
    "graphql-cop, field duplication": "query { " + "__typename \n" * 500 + "}",
    "graphql-cop, circular query by introspection": "query { __schema { types { fields { type { fields { type { fields"
    " { type { fields { name } } } } } } } } } }",
    "GraphQL Armor, max depth": "{ contacts { nodes { records { contact { records { contact { records { contact {"
    " records { contact { records { contact { id } } } } } } } } } } } } }",
    "GraphQL Armor, max aliases": "{" + " ".join(f"a{n}: providers {{ provider }}" for n in range(60)) + "}",
    "GraphQL Armor, max tokens": "{ " + "providers { provider } " * 3_000 + "}",
    "GraphQL Armor, cost limit": "{ "
    + " ".join(
        f"c{n}: contacts(first: 100) {{ nodes {{ records {{ emails {{ address }} phones {{ number }} }} }} }}"
        for n in range(15)
    )
    + "}",
    "OWASP, amplification by nested lists": "{ contacts(first: 100) { nodes { records { contact { records { contact {"
    " emails { address } } } } } } } }",
    "OWASP, batching by aliases": "mutation {"
    + " ".join(f'm{n}: deleteContact(input: {{id: "Q29udGFjdDprbGVuOjkwMDE="}}) {{ status }}' for n in range(60))
    + "}",
    "many root fields": "{ " + " ".join(f"f{n}: __typename" for n in range(45)) + " }",
}


@pytest.mark.parametrize("document", TOO_MUCH.values(), ids=TOO_MUCH)
def test_what_asks_for_too_much_is_refused_by_one_error(closed: Gateway, document: str) -> None:
    extensions = only_error(sent(closed, {"query": document}))

    assert extensions["code"] == "LIMIT_EXCEEDED"
    assert extensions["measured"] > extensions["allowed"]
    assert extensions["limit"]


def test_fragments_that_double_cost_nothing(closed: Gateway) -> None:
    """The document stops Strawberry's own depth limiter for years."""
    answer = sent(closed, {"query": fragments(30)}).json()

    assert answer["data"] == {"__typename": "Query"} or answer["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"


@pytest.mark.parametrize(
    ("document", "code"),
    [
        # graphql-cop: circular fragment
        ("query { ...A } fragment A on Query { ...B } fragment B on Query { ...A }", "GRAPHQL_VALIDATION_FAILED"),
        # graphql-cop: introspection, unhandled error, field suggestions
        ("query { __schema { types { name } } }", "GRAPHQL_VALIDATION_FAILED"),
        ("queryy { __typename }", "GRAPHQL_PARSE_FAILED"),
        ("query { directive }", "GRAPHQL_VALIDATION_FAILED"),
    ],
)
def test_what_is_wrong_is_refused_without_a_stack_or_a_hint(closed: Gateway, document: str, code: str) -> None:
    reply = sent(closed, {"query": document})

    assert {error["extensions"]["code"] for error in reply.json()["errors"]} == {code}
    for told in ("Did you mean", "Traceback", "graphql-core", ".py", "strawberry", "exception", "extensions.tracing"):
        assert told.lower() not in reply.text.lower()


def test_array_batches_are_off(closed: Gateway) -> None:
    """graphql-cop sends ten queries in an array."""
    assert only_error(sent(closed, [{"query": "query { __typename }"}] * 10))["code"] == "BATCHING_NOT_SUPPORTED"


def test_a_mutation_by_get_changes_nothing(closed: Gateway) -> None:
    for accept in ("*/*", JSON):
        query = {"query": "mutation { __typename }"}

        reply = closed.request("GET", "/graphql", params=query, headers={"Accept": accept})

        assert reply.status_code in (403, 405)
        only_error(reply)


def test_a_form_is_not_read(closed: Gateway) -> None:
    """graphql-cop: POST based url-encoded query (possible CSRF)."""
    reply = closed.request("POST", "/graphql", data={"query": "query { __typename }"})

    assert (reply.status_code, only_error(reply)["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_a_get_without_a_sign_of_a_program_is_not_answered(closed: Gateway) -> None:
    """graphql-cop: GET method query support (possible CSRF)."""
    reply = closed.request("GET", "/graphql", params={"query": "query { __typename }"}, headers={"Accept": "*/*"})

    assert (reply.status_code, only_error(reply)["code"]) == (403, "CROSS_SITE_REQUEST")


@pytest.mark.parametrize("path", ["/", "/graphql", "/graphiql", "/playground", "/console", "/altair", "/voyager"])
def test_there_is_no_console(closed: Gateway, path: str) -> None:
    """graphql-cop: GraphQL IDE."""
    reply = closed.request("GET", path, headers={"Accept": "text/html"})

    assert reply.status_code in (307, 404, 406)
    assert "graphiql" not in reply.text.lower()


def test_tracing_is_not_to_be_had(closed: Gateway) -> None:
    """graphql-cop: trace mode."""
    extensions = sent(closed, {"query": "{ __typename }"}, **{"X-Apollo-Tracing": "1"}).json().get("extensions", {})

    assert set(extensions) <= {"cost"}
