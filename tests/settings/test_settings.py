"""Every variable of design section 10: its default, what it takes, and where it is read from."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.connectors.registry import REGISTRY
from gateway.domain.contact import Provider
from gateway.main import build_connectors
from gateway.settings import WrongSettings, api_key, read_gateway_settings, read_provider_settings

GATEWAY: dict[str, tuple[Any, str, Any]] = {
    "GATEWAY_HOST": ("127.0.0.1", "0.0.0.0", "0.0.0.0"),
    "GATEWAY_PORT": (8000, "0", 0),
    "GATEWAY_WORKERS": (1, "4", 4),
    "GATEWAY_DATABASE_URL": (
        "sqlite:///contact-gateway.db",
        "sqlite:////var/lib/gateway.db",
        "sqlite:////var/lib/gateway.db",
    ),
    "GATEWAY_MODE": ("development", "production", "production"),
    "GATEWAY_PRECEDENCE": (
        (Provider.GATELY, Provider.KLEN, Provider.COMETLY),
        "klen,cometly,gately",
        (Provider.KLEN, Provider.COMETLY, Provider.GATELY),
    ),
    "GATEWAY_CONNECT_TIMEOUT_SECONDS": (2.0, "0.5", 0.5),
    "GATEWAY_ATTEMPT_TIMEOUT_SECONDS": (5.0, "7", 7.0),
    "GATEWAY_QUERY_DEADLINE_SECONDS": (15.0, "600", 600.0),
    "GATEWAY_MUTATION_DEADLINE_SECONDS": (30.0, "1e2", 100.0),
    "GATEWAY_OPERATION_RETENTION": (timedelta(hours=24), "90m", timedelta(minutes=90)),
    "GATEWAY_WEBSOCKET_INIT_SECONDS": (3.0, "5", 5.0),
    "GATEWAY_MAX_SUBSCRIPTIONS": (100, "7", 7),
    "GATEWAY_STREAM_KEEP_ALIVE_SECONDS": (12.0, "30", 30.0),
    "GATEWAY_SEND_TIMEOUT_SECONDS": (10.0, "2.5", 2.5),
    "GATEWAY_SETTLING_SECONDS": (60.0, "0", 0.0),
    "GATEWAY_MAX_BODY_BYTES": (262_144, "1024", 1024),
    "GATEWAY_MAX_JSON_DEPTH": (32, "128", 128),
    "GATEWAY_BODY_TIMEOUT_SECONDS": (10.0, "0.5", 0.5),
    "GATEWAY_ALLOWED_HOSTS": ((), "API.example, *.example.org", ("api.example", "*.example.org")),
    "GATEWAY_HEADER_TIMEOUT_SECONDS": (10.0, "0.5", 0.5),
    "GATEWAY_KEEP_ALIVE_SECONDS": (30.0, "0.5", 0.5),
    "GATEWAY_WRITE_TIMEOUT_SECONDS": (30.0, "0.5", 0.5),
    "GATEWAY_MAX_HEADER_BYTES": (16_384, "1024", 1024),
    "GATEWAY_MAX_CONNECTIONS": (1_000, "1", 1),
    "GATEWAY_CORS_ORIGINS": (
        (),
        "https://app.example, http://127.0.0.1:3000",
        ("https://app.example", "http://127.0.0.1:3000"),
    ),
    "GATEWAY_GRAPHIQL": (None, "off", "off"),
    "GATEWAY_INTROSPECTION": (None, "on", "on"),
    "GATEWAY_TRUSTED_DOCUMENTS": ("off", "off", "off"),
    "GATEWAY_TRUSTED_DOCUMENTS_FILES": ((), "web.json, admin.json", (Path("web.json"), Path("admin.json"))),
    "GATEWAY_AUTOMATIC_PERSISTED_QUERIES": ("off", "on", "on"),
    "GATEWAY_AUTHENTICATION": (None, "required", "required"),
    "GATEWAY_JWT_CLOCK_SKEW_SECONDS": (30.0, "0", 0.0),
    "GATEWAY_MAX_DOCUMENT_TOKENS": (5_000, "100", 100),
    "GATEWAY_MAX_DEPTH": (12, "2", 2),
    "GATEWAY_MAX_LIST_DEPTH": (4, "2", 2),
    "GATEWAY_MAX_SELF_REFERENCE": (1, "2", 2),
    "GATEWAY_MAX_INTROSPECTION_DEPTH": (2, "2", 2),
    "GATEWAY_MAX_ALIASES": (50, "2", 2),
    "GATEWAY_MAX_REPEATED_NAMES": (100, "2", 2),
    "GATEWAY_MAX_MERGED_FIELDS": (20_000, "1000", 1_000),
    "GATEWAY_MAX_DIRECTIVES": (50, "2", 2),
    "GATEWAY_MAX_DIRECTIVES_PER_NODE": (5, "2", 2),
    "GATEWAY_MAX_ROOT_FIELDS": (20, "2", 2),
    "GATEWAY_MAX_OPERATIONS": (20, "2", 2),
    "GATEWAY_MAX_FRAGMENTS": (100, "2", 2),
    "GATEWAY_MAX_VARIABLES": (50, "2", 2),
    "GATEWAY_MAX_COST": (10000.0, "2.5", 2.5),
    "GATEWAY_COMPILED_PLANS": ("on", "off", "off"),
    "GATEWAY_WORKER_TIMEOUT_SECONDS": (30.0, "0", 0.0),
    "GATEWAY_SHARED_ANSWERS": ("on", "off", "off"),
    "GATEWAY_DOCUMENT_CACHE_CHARACTERS": (200_000, "0", 0),
    "GATEWAY_TELL_COST": ("on", "off", "off"),
    "GATEWAY_VALIDATION_SECONDS": (1.0, "2.5", 2.5),
    "GATEWAY_RETRIES": (2, "0", 0),
    "GATEWAY_RETRY_BACKOFF_SECONDS": (0.1, "0.5", 0.5),
    "GATEWAY_RETRY_BACKOFF_MAX_SECONDS": (2.0, "0.5", 0.5),
    "GATEWAY_BREAKER": ("on", "off", "off"),
    "GATEWAY_BREAKER_FAILURES": (5, "1", 1),
    "GATEWAY_BREAKER_RATIO": (0.5, "1", 1.0),
    "GATEWAY_BREAKER_CALLS": (20, "1", 1),
    "GATEWAY_BREAKER_WINDOW_SECONDS": (10.0, "2.5", 2.5),
    "GATEWAY_BREAKER_OPEN_SECONDS": (5.0, "2.5", 2.5),
    "GATEWAY_RATE_BUDGETS": ("on", "off", "off"),
    "GATEWAY_RATE_WAIT_SECONDS": (2.0, "0", 0.0),
    "GATEWAY_REDIS_URL": (None, "redis://127.0.0.1:6379/1", "redis://127.0.0.1:6379/1"),
    "GATEWAY_READ_CACHE_SECONDS": (10.0, "0", 0.0),
    "GATEWAY_READ_CACHE_BYTES": (33_554_432, "0", 0),
    "GATEWAY_STALE_IF_ERROR_SECONDS": (300.0, "0", 0.0),
    "GATEWAY_MAX_CALLS_AT_ONCE": (100, "1", 1),
    "GATEWAY_MAX_WAITING_CALLS": (200, "0", 0),
    "GATEWAY_MAX_REPLY_BYTES": (67_108_864, "8388608", 8_388_608),
    "GATEWAY_TELL_PROVIDERS": ("on", "off", "off"),
    "GATEWAY_METRICS": ("off", "on", "on"),
    "GATEWAY_METRICS_TOKEN": (None, "a-token-of-a-scraper", "a-token-of-a-scraper"),
    "GATEWAY_TRACES": ("off", "otlp", "otlp"),
    "GATEWAY_LOG_FORMAT": ("auto", "json", "json"),
    "GATEWAY_LOG_LEVEL": ("info", "debug", "debug"),
    "GATEWAY_LOG_REQUESTS": (None, "on", "on"),
    "GATEWAY_SHUTDOWN_SECONDS": (30.0, "0", 0.0),
}
# Each is wrong without the others: tests/access/test_start.py.
TOGETHER = {"GATEWAY_JWT_JWKS_URL", "GATEWAY_JWT_ISSUER", "GATEWAY_JWT_AUDIENCE"}
PROVIDERS: dict[str, tuple[Any, str, Any]] = {
    "GATELY_API_KEY": (None, "gately_sk_test_1", "gately_sk_test_1"),
    "GATELY_PROJECT_ID": (None, "5b1e0c1a-0000-4000-8000-000000000001", "5b1e0c1a-0000-4000-8000-000000000001"),
    "GATELY_BASE_URL": ("https://api.usegately.com/api/v1", "https://gately.test/api/v2", "https://gately.test/api/v2"),
    "COMETLY_API_KEY": (None, "space-key", "space-key"),
    "COMETLY_BASE_URL": ("https://app.cometly.com/public-api/v1", "https://c.test/v1", "https://c.test/v1"),
    "COMETLY_TIMEZONE": ("UTC", "Europe/Helsinki", "Europe/Helsinki"),
    "COMETLY_CREATES_PER_MINUTE": (60, "7", 7),
    "COMETLY_LISTS_PER_MINUTE": (15, "7", 7),
    "COMETLY_READS_PER_MINUTE": (15, "30", 30),
    "COMETLY_UPDATES_PER_MINUTE": (60, "7", 7),
    "COMETLY_CUSTOM_FIELDS": ({}, '{"tier": "profile_field_1"}', {"tier": "profile_field_1"}),
    "KLEN_API_KEY": (None, "klen_1", "klen_1"),
    "GATELY_CALLS_PER_MINUTE": (60, "600", 600),
    "KLEN_CALLS_PER_MINUTE": (60, "600", 600),
    "KLEN_BASE_URL": ("https://api.klen.ai/api/v1", "https://klen.test/api/v1", "https://klen.test/api/v1"),
}


def read(name: str) -> Any:
    """The value of a variable, whichever settings it belongs to."""
    prefix, _, rest = name.partition("_")
    if prefix == "GATEWAY":
        return getattr(read_gateway_settings(), rest.lower())
    entry = next(entry for entry in REGISTRY if entry.provider == prefix.lower())
    settings = read_provider_settings(entry, "development")
    if rest == "API_KEY":
        return api_key(settings)
    value = getattr(settings, rest.lower())
    return str(value) if rest == "BASE_URL" else value


def test_the_variables_are_those_of_the_design_and_no_others() -> None:
    known = {f"GATEWAY_{name.upper()}" for name in type(read_gateway_settings()).model_fields}
    for entry in REGISTRY:
        prefix = entry.settings.model_config.get("env_prefix")
        known |= {f"{prefix}{name.upper()}" for name in entry.settings.model_fields}

    assert known == set(GATEWAY) | TOGETHER | set(PROVIDERS)


@pytest.mark.parametrize(("name", "expected"), {name: row[0] for name, row in {**GATEWAY, **PROVIDERS}.items()}.items())
def test_it_has_its_default(name: str, expected: Any) -> None:
    assert read(name) == expected


@pytest.mark.parametrize(
    ("name", "text", "expected"), [(name, row[1], row[2]) for name, row in {**GATEWAY, **PROVIDERS}.items()]
)
class TestSources:
    def test_the_environment_sets_it(
        self, monkeypatch: pytest.MonkeyPatch, name: str, text: str, expected: Any
    ) -> None:
        monkeypatch.setenv(name, text)

        assert read(name) == expected

    def test_an_env_file_sets_it(self, tmp_path: Path, name: str, text: str, expected: Any) -> None:
        (tmp_path / ".env").write_text(f"# ours\n{name}='{text}'\nUNRELATED=1\nGATEWAY_UNKNOWN=2\n", encoding="utf-8")

        assert read(name) == expected

    def test_the_environment_overrules_the_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, expected: Any
    ) -> None:
        (tmp_path / ".env").write_text(f"{name}=wrong\n", encoding="utf-8")
        monkeypatch.setenv(name, text)

        assert read(name) == expected

    def test_lower_case_is_as_good(self, monkeypatch: pytest.MonkeyPatch, name: str, text: str, expected: Any) -> None:
        monkeypatch.setenv(name.lower(), text)

        assert read(name) == expected


class TestPrecedence:
    @pytest.mark.parametrize(
        ("text", "order"),
        [
            ("gately,klen,cometly", "gately klen cometly"),
            ("cometly", "cometly gately klen"),
            (" KLEN , Cometly ", "klen cometly gately"),
            ("klen,cometly,gately", "klen cometly gately"),
        ],
    )
    def test_who_is_left_out_comes_last(self, monkeypatch: pytest.MonkeyPatch, text: str, order: str) -> None:
        monkeypatch.setenv("GATEWAY_PRECEDENCE", text)

        assert [str(provider) for provider in read("GATEWAY_PRECEDENCE")] == order.split()

    @pytest.mark.parametrize("text", ["", ",", "klen,", "klen,klen", "klen, KLEN", "salesforce", "klen;gately"])
    def test_anything_else_is_refused_by_name(self, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
        monkeypatch.setenv("GATEWAY_PRECEDENCE", text)

        with pytest.raises(WrongSettings, match=r"^GATEWAY_PRECEDENCE: .+\. Give .+\.$"):
            read_gateway_settings()


class TestDatabase:
    @pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
    def test_every_way_to_say_postgresql_means_the_one_driver(
        self, monkeypatch: pytest.MonkeyPatch, scheme: str
    ) -> None:
        monkeypatch.setenv("GATEWAY_DATABASE_URL", f"{scheme}://gateway:p%40ss@db.test:5433/contacts?sslmode=require")

        url = "postgresql+psycopg://gateway:p%40ss@db.test:5433/contacts?sslmode=require"
        assert read("GATEWAY_DATABASE_URL") == url

    def test_the_longer_name_of_sqlite_means_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GATEWAY_DATABASE_URL", "sqlite+aiosqlite:////var/lib/gateway.db")

        assert read_gateway_settings().database_url == "sqlite:////var/lib/gateway.db"

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "gateway.db",
            "postgresql",
            "postgresql:/gateway",
            "sqlite+pysqlite:///gateway.db",
            "postgresql+asyncpg://secret@db/x",
            "mysql://gateway:secret@db/x",
            "://secret",
        ],
    )
    def test_any_other_is_refused_by_name_and_not_repeated(self, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
        monkeypatch.setenv("GATEWAY_DATABASE_URL", url)

        with pytest.raises(WrongSettings, match=r"^GATEWAY_DATABASE_URL: .+\. Give .+\.$") as refused:
            read_gateway_settings()

        assert "secret" not in str(refused.value)

    def test_nor_does_the_token_of_the_metrics(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GATEWAY_METRICS_TOKEN", "a-token-of-a-scraper")

        settings = read_gateway_settings()

        assert "scraper" not in f"{settings!r} {settings}"

    def test_its_password_shows_in_no_text_of_the_settings(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GATEWAY_DATABASE_URL", "postgresql://gateway:secret@db/x")

        settings = read_gateway_settings()

        assert "secret" not in f"{settings!r} {settings}"


class TestWorkerTimeout:
    @pytest.mark.parametrize("text", ["0", "1", "3600"])
    def test_it_is_nothing_or_longer_than_a_pulse(self, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
        monkeypatch.setenv("GATEWAY_WORKER_TIMEOUT_SECONDS", text)

        assert read("GATEWAY_WORKER_TIMEOUT_SECONDS") == float(text)

    @pytest.mark.parametrize("text", ["0.5", "-1", "3601", "nan", "inf", "", "soon"])
    def test_anything_else_is_refused_by_name(self, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
        monkeypatch.setenv("GATEWAY_WORKER_TIMEOUT_SECONDS", text)

        with pytest.raises(WrongSettings, match=r"^GATEWAY_WORKER_TIMEOUT_SECONDS: .+\. Give how long .+\.$"):
            read_gateway_settings()


class TestLengthOfTime:
    @pytest.mark.parametrize(
        ("text", "seconds"),
        [
            ("60", 60),
            ("3600", 3600),
            ("3600s", 3600),
            ("90m", 5400),
            ("1.5h", 5400),
            (" 7 D ", 604_800),
            ("30d", 2_592_000),
            ("1m", 60),
        ],
    )
    def test_it_is_seconds_or_has_a_unit(self, monkeypatch: pytest.MonkeyPatch, text: str, seconds: int) -> None:
        monkeypatch.setenv("GATEWAY_OPERATION_RETENTION", text)

        assert read("GATEWAY_OPERATION_RETENTION") == timedelta(seconds=seconds)

    @pytest.mark.parametrize("value", [timedelta(hours=2), 7200, 7200.0])
    def test_the_code_may_give_it_as_what_it_is(self, value: Any) -> None:
        assert read_gateway_settings(operation_retention=value).operation_retention == timedelta(hours=2)

    @pytest.mark.parametrize(
        "text",
        ["", "59", "59s", "0", "-1h", "31d", "721h", "9" * 400, "999999999d", "nan", "inf", "h", "1h30m", "P1D", "٣h"],
    )
    def test_anything_else_is_refused_by_name(self, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
        monkeypatch.setenv("GATEWAY_OPERATION_RETENTION", text)

        with pytest.raises(WrongSettings, match=r"^GATEWAY_OPERATION_RETENTION: .+\. Give .+\.$"):
            read_gateway_settings()

    @pytest.mark.parametrize("text", ["-0.1", "86401", "nan", "inf", "24h", ""])
    def test_settling_is_a_number_of_seconds_up_to_a_day(self, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
        monkeypatch.setenv("GATEWAY_SETTLING_SECONDS", text)

        with pytest.raises(WrongSettings, match=r"^GATEWAY_SETTLING_SECONDS: .+\. Give .+\.$"):
            read_gateway_settings()


class TestWhoIsConfigured:
    def test_nobody_without_a_key(self) -> None:
        assert build_connectors(read_gateway_settings()) == {}

    @pytest.mark.parametrize("entry", REGISTRY, ids=lambda entry: entry.provider)
    def test_a_key_is_enough(self, monkeypatch: pytest.MonkeyPatch, entry: Any) -> None:
        monkeypatch.setenv(f"{entry.provider.name}_API_KEY", "key")

        assert list(build_connectors(read_gateway_settings())) == [entry.provider]

    @pytest.mark.parametrize("blank", ["", " ", "\t"])
    def test_a_blank_key_is_none(self, monkeypatch: pytest.MonkeyPatch, blank: str) -> None:
        monkeypatch.setenv("KLEN_API_KEY", blank)

        assert build_connectors(read_gateway_settings()) == {}

    def test_spaces_around_a_key_do_not_belong_to_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("KLEN_API_KEY", " klen_1\n")

        assert read("KLEN_API_KEY") == "klen_1"


@pytest.mark.parametrize("name", ["GATELY_BASE_URL", "COMETLY_BASE_URL", "KLEN_BASE_URL"])
class TestProduction:
    @pytest.fixture(autouse=True)
    def in_production(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        monkeypatch.setenv("GATEWAY_MODE", "production")
        monkeypatch.setenv(name.replace("BASE_URL", "API_KEY"), "key")

    @pytest.mark.parametrize("url", ["http://api.example.com/v1", "http://10.0.0.1/v1", "http://localhost.example.com"])
    def test_a_key_does_not_travel_over_an_open_line(
        self, monkeypatch: pytest.MonkeyPatch, name: str, url: str
    ) -> None:
        monkeypatch.setenv(name, url)

        with pytest.raises(WrongSettings, match=rf"^{name}: .*https"):
            build_connectors(read_gateway_settings())

    @pytest.mark.parametrize(
        "url", ["https://api.example.com/v1", "http://127.0.0.1:9/v1", "http://localhost:9/v1", "http://[::1]:9/v1"]
    )
    def test_https_and_this_machine_are_fine(self, monkeypatch: pytest.MonkeyPatch, name: str, url: str) -> None:
        monkeypatch.setenv(name, url)

        assert len(build_connectors(read_gateway_settings())) == 1

    def test_in_development_an_open_line_is_allowed(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        monkeypatch.setenv("GATEWAY_MODE", "development")
        monkeypatch.setenv(name, "http://provider.test/v1")

        assert len(build_connectors(read_gateway_settings())) == 1


class TestSecrets:
    KEY = "a-key-that-nobody-may-read"

    @pytest.mark.parametrize("entry", REGISTRY, ids=lambda entry: entry.provider)
    def test_a_key_shows_in_no_text_of_the_settings(self, monkeypatch: pytest.MonkeyPatch, entry: Any) -> None:
        monkeypatch.setenv(f"{entry.provider.name}_API_KEY", self.KEY)

        settings = read_provider_settings(entry, "development")

        shown = f"{settings!r} {settings} {settings.model_dump_json()} {settings.__dict__}"
        assert self.KEY not in shown
        assert "*****" in repr(settings)
        assert api_key(settings) == self.KEY

    @pytest.mark.parametrize("entry", REGISTRY, ids=lambda entry: entry.provider)
    def test_a_key_shows_in_no_text_of_a_connector(self, monkeypatch: pytest.MonkeyPatch, entry: Any) -> None:
        monkeypatch.setenv(f"{entry.provider.name}_API_KEY", self.KEY)

        (connector,) = build_connectors(read_gateway_settings()).values()

        upstream = vars(connector)["_upstream"]
        shown = [repr(one) for one in (connector, *vars(connector).values(), *vars(upstream).values())]
        assert [text for text in shown if self.KEY in text] == []

    @pytest.mark.parametrize("wrong", ["COMETLY_TIMEZONE", "COMETLY_CUSTOM_FIELDS", "COMETLY_BASE_URL"])
    def test_a_message_repeats_no_value(self, monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
        monkeypatch.setenv("COMETLY_API_KEY", self.KEY)
        monkeypatch.setenv(wrong, f"{self.KEY}?")
        entry = next(entry for entry in REGISTRY if entry.provider is Provider.COMETLY)

        with pytest.raises(WrongSettings) as refused:
            read_provider_settings(entry, "development")

        assert self.KEY not in str(refused.value)
        assert refused.value.__cause__ is None
        assert str(refused.value).startswith(f"{wrong}: ")
