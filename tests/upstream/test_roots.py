"""Whose certificates are believed: certifi's roots, or those that the environment names."""

from __future__ import annotations

import ssl
from pathlib import Path

import certifi
import pytest

from gateway.upstream.endpoint import Endpoint
from gateway.upstream.roots import verifying
from gateway.upstream.upstream import Conditions, Upstream
from tests.upstream.certificates import self_signed
from tests.upstream.conftest import PlainDialect


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


def roots(context: ssl.SSLContext | None = None) -> list[bytes]:
    return (context or verifying()).get_ca_certs(binary_form=True)


def test_certificate_and_name_are_verified() -> None:
    context = verifying()

    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_without_a_word_they_are_those_of_certifi(monkeypatch: pytest.MonkeyPatch) -> None:
    of_certifi = roots(ssl.create_default_context(cafile=certifi.where()))
    assert roots() == of_certifi != []

    # As in many a compose file that hands on what is not set.
    monkeypatch.setenv("SSL_CERT_FILE", "")
    monkeypatch.setenv("SSL_CERT_DIR", "")
    assert roots() == of_certifi


def test_a_file_takes_their_place_and_comes_before_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    # OpenSSL reads a folder when somebody is to be verified.
    assert roots() == []

    monkeypatch.setenv("SSL_CERT_FILE", str(self_signed(tmp_path)))
    # It is nobody's authority but its own.
    assert (roots(), verifying().cert_store_stats()["x509"]) == ([], 1)


def test_a_file_that_is_not_there_ends_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "nothing.pem"))

    with pytest.raises(FileNotFoundError):
        Upstream(Endpoint(base_url="https://crm.test", headers={}), PlainDialect(), Conditions())


def test_the_roots_are_read_once_for_all_providers() -> None:
    assert verifying() is verifying()
