"""When callers have to say who they are, and what keeps a gateway from being open by mistake."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.access.settings import NO_CREDENTIAL_COUNTS, is_required
from gateway.clock import now_ms
from gateway.settings import WrongSettings, read_gateway_settings
from tests.access.conftest import MakeKey, ask, in_database
from tests.access.issuer import AUDIENCE, ISSUER, Issuer
from tests.conftest import Gateway

ALL_JWT = {"jwt_jwks_url": "https://login.example.test/keys", "jwt_issuer": ISSUER, "jwt_audience": AUDIENCE}


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def required(**settings: Any) -> bool:
    read = read_gateway_settings(**settings)
    return is_required(read, mode=read.mode, host=read.host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_in_development_on_a_loopback_host_nobody_is_asked(host: str) -> None:
    assert not required(host=host)
    assert required(host=host, authentication="required")
    assert required(host=host, mode="production")


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.7", "gateway.example.test", "localhost.example.test", "127.0.0.1.example.test"]
)
@pytest.mark.parametrize("mode", ["development", "production"])
def test_on_any_other_host_everybody_is(host: str, mode: str) -> None:
    assert required(host=host, mode=mode)


@pytest.mark.parametrize(
    "settings",
    [{"mode": "production"}, {"host": "0.0.0.0"}, {"host": "::"}, {"host": "localhost.example.test"}],
    ids=str,
)
def test_off_is_refused_anywhere_but_in_development_on_loopback(settings: dict[str, str]) -> None:
    with pytest.raises(WrongSettings) as caught:
        read_gateway_settings(authentication="off", **settings)

    assert str(caught.value) == (
        "GATEWAY_AUTHENTICATION: off is for development on a loopback host only."
        " Give required, or GATEWAY_MODE=development and GATEWAY_HOST=127.0.0.1."
    )


@pytest.mark.parametrize("value", ["", "on", "none", "false", "Off"])
def test_another_word_is_a_wrong_setting(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("GATEWAY_AUTHENTICATION", value)

    with pytest.raises(WrongSettings, match=r"^GATEWAY_AUTHENTICATION: .* Give off or required"):
        read_gateway_settings()


@pytest.mark.parametrize("missing", ALL_JWT)
def test_a_setting_of_tokens_does_not_come_alone(missing: str) -> None:
    given = {name: value for name, value in ALL_JWT.items() if name != missing}

    with pytest.raises(
        WrongSettings, match=rf"^GATEWAY_{missing.upper()}: is missing\. .*give all of them, or none\.$"
    ):
        read_gateway_settings(**given)


@pytest.mark.parametrize(
    "url",
    [
        "http://login.example.test/keys",
        "ftp://login.example.test/keys",
        "file:///etc/keys",
        "login.example.test/keys",
        "https://user:secret@login.example.test/keys",
        "https:///keys",
        "https://login.example.test:99999/keys",
        "https://login.example.test:0/keys",
        "https://[/keys",
        "",
    ],
)
def test_keys_are_fetched_over_https_only(url: str) -> None:
    with pytest.raises(WrongSettings, match=r"^GATEWAY_JWT_JWKS_URL: .*https") as caught:
        read_gateway_settings(**{**ALL_JWT, "jwt_jwks_url": url})

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/keys", "http://localhost/keys", "https://login.example.test/keys"])
def test_over_loopback_http_will_do(url: str) -> None:
    assert read_gateway_settings(**{**ALL_JWT, "jwt_jwks_url": url}).jwt_jwks_url == url


class TestOfTheGateway:
    @pytest.mark.parametrize("settings", [{}, {"mode": "production"}, {"host": "0.0.0.0"}], ids=str)
    def test_without_a_credential_that_would_count_it_does_not_start(
        self, start_gateway: Callable[..., Gateway], database_url: str, settings: dict[str, str]
    ) -> None:
        given = settings or {"authentication": "required"}

        with pytest.raises(WrongSettings) as caught:
            start_gateway(database_url=database_url, **given)

        assert str(caught.value) == NO_CREDENTIAL_COUNTS
        assert "gateway keys create" in NO_CREDENTIAL_COUNTS

    def test_keys_that_are_revoked_or_expired_are_none(
        self, start: Callable[..., Gateway], make_key: MakeKey, database_url: str
    ) -> None:
        make_key("contacts:read", expires_in=-1)
        revoked = make_key("contacts:read")
        in_database(database_url, lambda store: store.revoke(revoked.stored.id, now=now_ms()))

        with pytest.raises(WrongSettings):
            start()

        make_key("contacts:read", expires_in=600_000)
        assert ask(start(), None).status_code == 401

    def test_an_identity_provider_is_enough(self, trusting: Gateway) -> None:
        assert ask(trusting, None).status_code == 401

    def test_in_production_callers_are_asked(self, start_gateway: Any, issuer: Issuer) -> None:
        assert ask(start_gateway(mode="production", **issuer.settings), None).status_code == 401

    def test_where_nobody_is_asked_a_credential_changes_nothing(self, gateway: Gateway) -> None:
        for credential in (None, "anything", "cgw_" + "0" * 81):
            assert ask(gateway, credential).status_code == 200
