"""GraphQL over HTTP: every audit of graphql-http, by its id, whatever its word (MUST, SHOULD, MAY)."""

from collections.abc import Callable
from typing import Any

import pytest

# fmt: off
AUDITS = [
    "0220", "0221", "0222", "03D4", "13EE", "1B7A", "22EB", "28B9", "2C94", "2EA1", "34A2", "3E3A", "423L",
    "428F", "4655", "4760", "4761", "4762", "4763", "47DE", "51FE", "556A", "572B", "58B0", "58B1", "58B2",
    "58B3", "5A70", "5E5B", "6A70", "6C00", "6C01", "6C02", "6C03", "74FF", "78D5", "7B9B", "80D8", "8161",
    "82A3", "865D", "86EE", "8764", "94B0", "94B1", "94B2", "9ABE", "9C48", "A5BF", "B6DC", "B7N8", "B8B3",
    "BCF8", "BF61", "D586", "D6D5", "FDE2", "LKJ0", "LKJ1", "LKJ2", "LKJ3",
]
# fmt: on


@pytest.fixture(scope="module")
def audited(told: Callable[[str], Any]) -> dict[str, dict[str, Any]]:
    results: dict[str, dict[str, Any]] = told("audits.mjs")
    return results


def test_these_are_all_audits_that_there_are(audited: dict[str, dict[str, Any]]) -> None:
    assert sorted(audited) == sorted(AUDITS)


@pytest.mark.parametrize("audit", AUDITS)
def test_the_audit_is_passed(audited: dict[str, dict[str, Any]], audit: str) -> None:
    assert audited[audit]["status"] == "ok", audited[audit]
