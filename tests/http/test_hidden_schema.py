"""Where the schema is nobody's business: no GraphiQL, no introspection, no names suggested."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.settings import read_gateway_settings
from tests.conftest import Gateway

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.fixture
def closed(start_gateway: Callable[..., Gateway]) -> Gateway:
    return start_gateway(graphiql="off", introspection="off")


@pytest.mark.parametrize(("mode", "shown"), [("development", True), ("production", False)])
def test_what_is_not_said_depends_on_the_mode(mode: Any, shown: bool) -> None:
    settings = read_gateway_settings(mode=mode)

    assert settings.shows(None) is shown
    assert (settings.shows("on"), settings.shows("off")) == (True, False)
    assert (settings.graphiql, settings.introspection) == (None, None)


def test_a_browser_gets_no_page(closed: Gateway) -> None:
    reply = closed.request("GET", "/graphql", headers={"Accept": BROWSER})

    assert (reply.status_code, reply.json()["errors"][0]["extensions"]) == (406, {"code": "NOT_ACCEPTABLE"})


@pytest.mark.parametrize(
    "document",
    [
        "{ __schema { queryType { name } } }",
        '{ __type(name: "Contact") { name } }',
        "query { ...A } fragment A on Query { a: __schema { types { name } } }",
    ],
)
def test_the_schema_is_not_told(closed: Gateway, document: str) -> None:
    errors = closed.refused(document)

    assert {error["extensions"]["code"] for error in errors} == {"GRAPHQL_VALIDATION_FAILED"}
    assert all("introspection" in error["message"] for error in errors)


def test_the_name_of_a_type_is_no_secret(closed: Gateway) -> None:
    assert closed.data("{ __typename }") == {"__typename": "Query"}


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        ("{ contac }", {}),
        ("{ contacts { nodez { id } } }", {}),
        ("{ contacts(frist: 1) { nodes { id } } }", {}),
        ("{ contacts(providers: [GATLEY]) { nodes { id } } }", {}),
        ("{ contacts { nodes { ... on Contct { id } } } }", {}),
        ("query($a: ContactFilte) { contacts(filter: $a) { nodes { id } } }", {}),
        ('{ contacts(filter: {serch: "a"}) { nodes { id } } }', {}),
        ("query($a: ContactFilter) { contacts(filter: $a) { nodes { id } } }", {"a": {"serch": "a"}}),
        ("query($a: [Provider!]) { contacts(providers: $a) { nodes { id } } }", {"a": ["GATLEY"]}),
    ],
)
def test_no_name_is_suggested(
    closed: Gateway, start_gateway: Callable[..., Gateway], document: str, variables: dict[str, Any]
) -> None:
    said = closed.refused(document, **variables)
    open_ = start_gateway().refused(document, **variables)

    assert "Did you mean" in str(open_), "the schema is open: it helps"
    assert "did you mean" not in str(said).lower()
    assert [error["extensions"]["code"] for error in said] == [error["extensions"]["code"] for error in open_]
