"""What a page of somebody else can make a browser send is refused, and nobody is called."""

import pytest

from tests.conftest import Gateway

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
QUERY = {"query": "{ __typename }"}
OWN = "http://127.0.0.1"
FOREIGN = "https://evil.example"


def code(reply: object) -> object:
    return reply.json()["errors"][0]["extensions"]["code"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept": JSON},
        {"Accept": GRAPHQL_JSON},
        {"Accept": JSON.upper()},
        {"Accept": "*/*", "Content-Type": JSON.upper()},
        {"Accept": "*/*", "Sec-Fetch-Mode": "same-origin"},
        {"Accept": f"{GRAPHQL_JSON}, {JSON};q=0.9"},
        {"Accept": "*/*", "GraphQL-Require-Preflight": "1"},
        {"Accept": "*/*", "Apollo-Require-Preflight": "true"},
        {"Accept": "*/*", "X-Apollo-Operation-Name": "Contacts"},
        {"Accept": "*/*", "Content-Type": JSON},
        {"Accept": "*/*", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin"},
    ],
    ids=str,
)
def test_a_get_that_only_a_program_can_have_made_is_answered(gateway: Gateway, headers: dict[str, str]) -> None:
    reply = gateway.request("GET", "/graphql", params=QUERY, headers=headers)

    assert (reply.status_code, reply.json()["data"]) == (200, {"__typename": "Query"})


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept": "*/*"},
        {"Accept": ""},
        {"Accept": "image/avif,image/webp,*/*;q=0.8", "Sec-Fetch-Mode": "no-cors"},
        {"Accept": "*/*", "Sec-Fetch-Mode": "navigate"},
        {"Accept": JSON, "Content-Type": "text/plain"},
        {"Accept": JSON, "Content-Type": "Text/Plain"},
        {"Accept": JSON, "Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
        {"Accept": JSON, "Content-Type": "multipart/form-data; boundary=x"},
        {"Accept": "*/*", "GraphQL-Require-Preflight": ""},
    ],
    ids=str,
)
def test_a_get_that_an_image_a_link_or_a_form_could_have_made_is_refused(
    gateway: Gateway, headers: dict[str, str]
) -> None:
    reply = gateway.request("GET", "/graphql", params=QUERY, headers=headers)

    assert (reply.status_code, code(reply)) == (403, "CROSS_SITE_REQUEST")
    assert "Accept" in reply.json()["errors"][0]["message"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_post_that_needs_no_preflight_is_refused(gateway: Gateway, content_type: str) -> None:
    reply = gateway.request(
        "POST", "/graphql", content='{"query": "{ __typename }"}', headers={"Content-Type": content_type}
    )

    assert (reply.status_code, code(reply)) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": FOREIGN},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": f"{OWN}:1"},
        {"Origin": "http://[x"},
        {"Origin": FOREIGN, "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "anything"},
        {"Origin": FOREIGN, "GraphQL-Require-Preflight": "1"},
    ],
    ids=str,
)
def test_a_page_from_elsewhere_is_refused(gateway: Gateway, method: str, headers: dict[str, str]) -> None:
    sent = {"params": QUERY} if method == "GET" else {"json": QUERY}

    reply = gateway.request(method, "/graphql", headers={"Accept": GRAPHQL_JSON, **headers}, **sent)

    assert (reply.status_code, code(reply)) == (403, "CROSS_SITE_REQUEST")


@pytest.mark.parametrize(
    "headers", [{"Origin": OWN}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {}], ids=str
)
def test_our_own_page_and_programs_are_answered(gateway: Gateway, headers: dict[str, str]) -> None:
    reply = gateway.request("POST", "/graphql", json=QUERY, headers={"Host": "127.0.0.1", **headers})

    assert (reply.status_code, reply.json()["data"]) == (200, {"__typename": "Query"})


def test_a_page_that_the_settings_name_is_answered(start_gateway: object) -> None:
    gateway = start_gateway(cors_origins="https://app.example, https://other.example:8443")  # type: ignore[operator]

    answered = gateway.request("POST", "/graphql", json=QUERY, headers={"Origin": "https://other.example:8443"})
    refused = gateway.request("POST", "/graphql", json=QUERY, headers={"Origin": "https://other.example"})

    assert (answered.status_code, answered.json()["data"]) == (200, {"__typename": "Query"})
    assert (refused.status_code, code(refused)) == (403, "CROSS_SITE_REQUEST")
