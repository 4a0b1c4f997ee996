"""What stands around every route: headers for browsers, host names, CORS, and refusals that are all of one form."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from gateway.main import build_app
from gateway.settings import read_gateway_settings
from tests.conftest import BARE, Gateway
from tests.http.sockets import Answer, Wire, get, post, until
from tests.live import Served, serving

QUERY = {"query": "{ __typename }"}
JSON = "application/json"
APP = "https://app.example.com"
STRANGER = "https://stranger.example"
PREFLIGHT = {"Access-Control-Request-Method": "POST"}

HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
# Nobody asks for the keys: no test here brings a token.
TOKENS = {
    "authentication": "required",
    "jwt_jwks_url": "http://127.0.0.1:9/jwks.json",
    "jwt_issuer": "https://issuer.example",
    "jwt_audience": "contacts",
}
POLICY = "default-src 'none'; frame-ancestors 'none'"


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Gateway]]:
    """A gateway without providers for each of the settings that these tests ask for."""
    started: dict[str, Gateway] = {}

    def start_once(**settings: Any) -> Gateway:
        if repr(settings) not in started:
            folder = tmp_path_factory.mktemp("middleware")
            chosen = read_gateway_settings(database_url=f"sqlite:///{folder}/gateway.db", **{**BARE, **settings})
            started[repr(settings)] = Gateway(build_app(chosen, {}))
        return started[repr(settings)]

    yield start_once
    for gateway in started.values():
        gateway.close()


@pytest.fixture
def plain(start: Callable[..., Gateway]) -> Gateway:
    return start()


@pytest.fixture
def shared(start: Callable[..., Gateway]) -> Gateway:
    """One whose settings let the pages of an origin call it."""
    return start(cors_origins=(APP,))


def code(reply: httpx.Response) -> str:
    answer = reply.json()
    assert set(answer) == {"errors"}
    (error,) = answer["errors"]
    assert error["message"].strip()
    told: str = error["extensions"]["code"]
    return told


EVERYTHING: dict[str, dict[str, Any]] = {
    "data": {"method": "POST", "url": "/graphql", "json": QUERY},
    "a wrong document": {"method": "POST", "url": "/graphql", "json": {"query": "{"}},
    "a refusal": {"method": "POST", "url": "/graphql", "content": "x"},
    "a GET": {"method": "GET", "url": "/graphql", "params": QUERY, "headers": {"Accept": JSON}},
    "another method": {"method": "DELETE", "url": "/graphql"},
    "a method nobody knows": {"method": "PROPFIND", "url": "/graphql"},
    "the page": {"method": "GET", "url": "/graphql", "headers": {"Accept": "text/html"}},
    "a script that is not there": {"method": "GET", "url": "/graphiql/assets/none.js"},
    "no path": {"method": "GET", "url": "/nowhere"},
    "no method of a path": {"method": "POST", "url": "/health/live"},
    "no method of a file": {"method": "POST", "url": "/graphiql/assets/none.js"},
    "health": {"method": "GET", "url": "/health/live"},
    "readiness": {"method": "GET", "url": "/health/ready"},
    "the root": {"method": "GET", "url": "/"},
    "options": {"method": "OPTIONS", "url": "/graphql"},
    "a preflight": {"method": "OPTIONS", "url": "/graphql", "headers": {"Origin": APP, **PREFLIGHT}},
    "a foreign preflight": {"method": "OPTIONS", "url": "/graphql", "headers": {"Origin": STRANGER, **PREFLIGHT}},
    "a foreign page": {"method": "POST", "url": "/graphql", "json": QUERY, "headers": {"Origin": STRANGER}},
    "a foreign host": {"method": "GET", "url": "/health/live", "headers": {"Host": "stranger.example"}},
}


class TestSecurityHeaders:
    @pytest.mark.parametrize("request_", EVERYTHING.values(), ids=EVERYTHING)
    def test_every_answer_has_them_once_and_is_named(self, plain: Gateway, request_: dict[str, Any]) -> None:
        reply = plain.request(**request_)

        assert {name: reply.headers.get_list(name) for name in HEADERS} == {n: [v] for n, v in HEADERS.items()}
        for name in ("content-security-policy", "permissions-policy", "cache-control", "x-request-id"):
            assert len(reply.headers.get_list(name)) == 1
        assert "frame-ancestors 'none'" in reply.headers["content-security-policy"]
        assert "origin" in reply.headers["vary"].lower()
        assert "server" not in reply.headers
        assert "strict-transport-security" not in reply.headers

    def test_data_is_not_kept_and_loads_nothing(self, plain: Gateway) -> None:
        reply = plain.request("POST", "/graphql", json=QUERY)

        assert (reply.headers["cache-control"], reply.headers["content-security-policy"]) == ("no-store", POLICY)

    def test_the_page_keeps_the_policy_that_it_needs(self, plain: Gateway) -> None:
        reply = plain.request("GET", "/graphql", headers={"Accept": "text/html"})

        assert reply.headers["content-security-policy"] != POLICY

    @pytest.mark.parametrize("request_", [EVERYTHING["data"], EVERYTHING["no path"], EVERYTHING["health"]])
    def test_production_insists_on_https(self, start: Callable[..., Gateway], request_: dict[str, Any]) -> None:
        reply = start(mode="production", **TOKENS).request(**request_)

        assert reply.headers["strict-transport-security"] == "max-age=31536000"


class TestOtherPaths:
    @pytest.mark.parametrize("path", ["/nowhere", "/graphql/", "/health", "/graphiql/assets/none.js", "/.env"])
    def test_nothing_is_there_in_the_form_of_graphql(self, plain: Gateway, path: str) -> None:
        reply = plain.request("GET", path)

        assert (reply.status_code, code(reply)) == (404, "PATH_NOT_FOUND")
        assert reply.headers["content-type"] == f"{JSON}; charset=utf-8"

    @pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/", "/graphiql/assets/none.js"])
    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PROPFIND"])
    def test_so_is_a_method_that_a_path_does_not_have(self, plain: Gateway, path: str, method: str) -> None:
        reply = plain.request(method, path)

        assert (reply.status_code, code(reply)) == (405, "METHOD_NOT_ALLOWED")
        assert set(reply.headers["allow"].split(", ")) == {"GET", "HEAD"}

    @pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "BREW"])
    def test_the_endpoint_names_its_methods_to_any_other(self, plain: Gateway, method: str) -> None:
        reply = plain.request(method, "/graphql")

        assert (reply.status_code, reply.headers["allow"]) == (405, "GET, POST")

    def test_of_a_header_that_stands_twice_the_first_counts(self, plain: Gateway) -> None:
        for accepts, status in (("text/csv", JSON), 406), ((JSON, "text/csv"), 200):
            reply = plain.request("POST", "/graphql", json=QUERY, headers=[("Accept", one) for one in accepts])

            assert reply.status_code == status

    @pytest.mark.parametrize("time", ["first", "second"])
    def test_options_outside_of_cors_tells_the_methods(self, plain: Gateway, time: str) -> None:
        """One answer serves all, and is named anew each time."""
        reply = plain.request("OPTIONS", "/graphql")

        assert len(reply.headers.get_list("x-request-id")) == 1

        assert (reply.status_code, reply.content) == (204, b"")
        assert reply.headers["allow"] == "GET, POST, OPTIONS"


class TestHosts:
    @pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:8000"])
    def test_the_loopback_is_answered_under_its_names(self, plain: Gateway, host: str) -> None:
        assert plain.request("POST", "/graphql", json=QUERY, headers={"Host": host}).status_code == 200

    @pytest.mark.parametrize(
        "host",
        [
            "stranger.example",
            "127.0.0.1.stranger.example",
            "localhost.stranger.example",
            "xlocalhost",
            "0.0.0.0",
            "::1",
        ],
    )
    @pytest.mark.parametrize("path", ["/graphql", "/health/live", "/", "/nowhere"])
    def test_another_name_is_not_ours(self, plain: Gateway, host: str, path: str) -> None:
        """A page whose name leads to 127.0.0.1 is at home there, to the browser (DNS rebinding)."""
        reply = plain.request("GET", path, headers={"Host": host, "Origin": f"http://{host}", "Accept": JSON})

        assert (reply.status_code, code(reply)) == (421, "MISDIRECTED_REQUEST")
        assert "GATEWAY_ALLOWED_HOSTS" in reply.json()["errors"][0]["message"]

    @pytest.mark.parametrize(
        ("host", "status"),
        [
            ("api.example.com", 200),
            ("API.example.com:443", 200),
            ("a.b.example.org", 200),
            ("localhost", 200),
            ("example.org", 421),
            ("api.example.com.stranger.example", 421),
            ("xexample.org", 421),
        ],
    )
    def test_the_setting_names_others(self, start: Callable[..., Gateway], host: str, status: int) -> None:
        gateway = start(allowed_hosts="api.example.com,*.example.org")

        assert gateway.request("GET", "/health/live", headers={"Host": host}).status_code == status

    def test_the_address_that_it_listens_on_is_its_own(self, start: Callable[..., Gateway]) -> None:
        gateway = start(host="127.0.0.7")

        assert gateway.request("GET", "/health/live", headers={"Host": "127.0.0.7:8000"}).status_code == 200

    def test_who_has_to_show_a_credential_may_use_any_name(self, start: Callable[..., Gateway]) -> None:
        """A page of a stranger has none."""
        for mode in ("development", "production"):
            any_, named = start(mode=mode, **TOKENS), start(mode=mode, allowed_hosts="api.example.com", **TOKENS)

            assert any_.request("GET", "/health/live", headers={"Host": "any.example"}).status_code == 200
            assert named.request("GET", "/health/live", headers={"Host": "any.example"}).status_code == 421


class TestCors:
    @pytest.mark.parametrize("request_", EVERYTHING.values(), ids=EVERYTHING)
    def test_by_default_nobody_elsewhere_learns_anything(self, plain: Gateway, request_: dict[str, Any]) -> None:
        headers = {"Origin": STRANGER, **request_.get("headers", {})}

        reply = plain.request(**{**request_, "headers": headers})

        assert [name for name in reply.headers if name.startswith("access-control")] == []

    @pytest.mark.parametrize(
        "headers",
        [
            "content-type",
            "authorization, content-type, idempotency-key",
            "graphql-require-preflight",
            "apollo-require-preflight, x-apollo-operation-name",
            "apollographql-client-name, apollographql-client-version",
            "x-graphql-event-stream-token",
            "accept, accept-language",
        ],
    )
    def test_the_preflight_of_an_origin_of_the_settings_is_granted(self, shared: Gateway, headers: str) -> None:
        asked = {"Origin": APP, **PREFLIGHT, "Access-Control-Request-Headers": headers}

        reply = shared.request("OPTIONS", "/graphql", headers=asked)

        granted = {name.strip().lower() for name in reply.headers["access-control-allow-headers"].split(",")}
        assert reply.status_code == 200
        assert reply.headers["access-control-allow-origin"] == APP
        assert {name.strip() for name in headers.split(",")} <= granted
        assert int(reply.headers["access-control-max-age"]) > 0
        assert "access-control-allow-credentials" not in reply.headers
        assert "origin" in reply.headers["vary"].lower()

    @pytest.mark.parametrize(
        "asked",
        [
            {"Origin": STRANGER, **PREFLIGHT},
            {"Origin": "null", **PREFLIGHT},
            {"Origin": APP.upper(), **PREFLIGHT},
            {"Origin": f"{APP}.stranger.example", **PREFLIGHT},
            {"Origin": APP, "Access-Control-Request-Method": "DELETE"},
            {"Origin": APP, "Access-Control-Request-Method": "PUT"},
            {"Origin": APP, "Access-Control-Request-Method": "PATCH"},
            {"Origin": APP, **PREFLIGHT, "Access-Control-Request-Headers": "x-other"},
        ],
        ids=str,
    )
    def test_any_other_is_refused_in_the_form_of_graphql(self, shared: Gateway, asked: dict[str, str]) -> None:
        reply = shared.request("OPTIONS", "/graphql", headers=asked)

        assert (reply.status_code, code(reply)) == (403, "CROSS_SITE_REQUEST")
        assert "access-control-allow-origin" not in reply.headers
        assert "origin" in reply.headers["vary"].lower()

    def test_a_preflight_is_answered_as_it_is_whatever_follows(self, shared: Gateway) -> None:
        """Whether the request itself may come is said when it comes."""
        headers = {"Origin": APP, **PREFLIGHT, "Host": "stranger.example"}

        reply = shared.request("OPTIONS", "/graphql", headers=headers)

        assert (reply.status_code, reply.headers["access-control-allow-origin"]) == (200, APP)
        assert reply.headers["vary"].split(", ").count("Origin") == 1
        assert shared.request("POST", "/graphql", json=QUERY, headers={"Host": "stranger.example"}).status_code == 421

    @pytest.mark.parametrize("headers", [{"Origin": APP}, PREFLIGHT], ids=["no method", "no origin"])
    def test_options_without_a_question_is_no_preflight(self, shared: Gateway, headers: dict[str, str]) -> None:
        reply = shared.request("OPTIONS", "/graphql", headers=headers)

        assert (reply.status_code, reply.headers["allow"]) == (204, "GET, POST, OPTIONS")

    def test_an_answer_may_be_read_with_what_it_says_in_headers(self, shared: Gateway) -> None:
        reply = shared.request("POST", "/graphql", json=QUERY, headers={"Origin": APP})

        assert reply.headers["access-control-allow-origin"] == APP
        assert reply.headers["access-control-expose-headers"] == "X-Request-Id, Retry-After, WWW-Authenticate"
        assert reply.headers["cross-origin-resource-policy"] == "cross-origin"
        assert {part.strip() for part in reply.headers["vary"].split(",")} == {"Accept", "Origin"}

    @pytest.mark.parametrize(
        ("request_", "status"),
        [
            ({"method": "POST", "url": "/graphql", "content": "x", "headers": {"Content-Type": JSON}}, 400),
            ({"method": "POST", "url": "/graphql", "json": QUERY, "headers": {"Accept": "text/csv"}}, 406),
            ({"method": "POST", "url": "/graphql", "content": "x"}, 415),
            ({"method": "POST", "url": "/graphql", "content": b"x" * 300_000, "headers": {"Content-Type": JSON}}, 413),
            ({"method": "GET", "url": "/nowhere"}, 404),
            ({"method": "DELETE", "url": "/health/live"}, 405),
            ({"method": "GET", "url": "/health/live", "headers": {"Host": "stranger.example"}}, 421),
        ],
        ids=["400", "406", "415", "413", "404", "405", "421"],
    )
    def test_so_may_a_refusal(self, shared: Gateway, request_: dict[str, Any], status: int) -> None:
        reply = shared.request(**{**request_, "headers": {"Origin": APP, **request_.get("headers", {})}})

        assert (reply.status_code, reply.headers["access-control-allow-origin"]) == (status, APP)

    def test_so_may_the_question_for_a_credential(self, start: Callable[..., Gateway]) -> None:
        gateway = start(cors_origins=(APP,), **TOKENS)

        reply = gateway.request("POST", "/graphql", json=QUERY, headers={"Origin": APP})

        assert (reply.status_code, reply.headers["access-control-allow-origin"]) == (401, APP)
        assert "WWW-Authenticate" in reply.headers["access-control-expose-headers"]
        assert reply.headers["www-authenticate"]

    def test_so_may_an_internal_error(self, shared: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_: object) -> None:
            raise RuntimeError("ada.winter@northwind.example")

        monkeypatch.setattr("gateway.http.endpoint.acceptable", broken)

        reply = shared.request("POST", "/graphql", json=QUERY, headers={"Origin": APP})

        assert (reply.status_code, reply.headers["access-control-allow-origin"]) == (500, APP)


class TestCorsOfTheServer:
    """What is refused before the application sees a request is readable elsewhere too."""

    @pytest.fixture
    def served(self, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
        monkeypatch.chdir(tmp_path)
        settings = read_gateway_settings(
            database_url=f"sqlite:///{tmp_path}/gateway.db",
            cors_origins=(APP,),
            header_timeout_seconds=0.3,
            body_timeout_seconds=0.3,
            max_connections=2,
        )
        with serving(build_app(settings, {}), settings) as served:
            yield served

    ORIGIN = b"Origin: " + APP.encode()
    REFUSED: dict[str, tuple[bytes, int]] = {  # noqa: RUF012  # nobody changes it
        "slow headers": (get(b"/", ORIGIN, b"X: a")[:-4], 408),
        "a slow body": (post(b"", ORIGIN, b"Content-Length: 9", framed=False), 408),
        "large headers": (get(b"/", ORIGIN, b"X: " + b"a" * 20_000), 431),
        "many headers": (get(b"/", ORIGIN, *[b"X: a"] * 101), 431),
        "a trick": (post(b"", ORIGIN, b"Content-Length: 1, 1", framed=False), 400),
        "OPTIONS with a trick": (
            get(b"/", ORIGIN, b"Access-Control-Request-Method: POST", b"X: \x00").replace(b"GET", b"OPTIONS"),
            400,
        ),
    }

    @pytest.mark.parametrize(("request_", "status"), REFUSED.values(), ids=REFUSED)
    def test_to_an_origin_of_the_settings(self, served: Served, request_: bytes, status: int) -> None:
        with Wire(served.port) as wire:
            self._readable(wire.send(request_).answer(), status)

    def test_also_when_there_are_too_many(self, served: Served) -> None:
        with Wire(served.port), Wire(served.port), Wire(served.port) as third:
            until(lambda: len(served.server.server_state.connections) == 3)
            self._readable(third.send(get(b"/graphql", self.ORIGIN)).answer(), 503)

    @staticmethod
    def _readable(answer: Answer, status: int) -> None:
        assert answer.status == status
        assert answer.headers["access-control-allow-origin"] == APP
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-request-id"]
        assert answer.code
