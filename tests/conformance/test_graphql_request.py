"""graphql-request: data, partial data and refusals come through as what they are."""

from collections.abc import Callable
from typing import Any


def test_it_gets_data_and_codes(told: Callable[[str], Any]) -> None:
    assert told("graphql_request.mjs") == {
        "listed": 3,
        "listedByGet": 3,
        "created": {
            "createContact": {
                "status": "SUCCEEDED",
                "results": [
                    {"provider": "GATELY", "outcome": "APPLIED"},
                    {"provider": "KLEN", "outcome": "APPLIED"},
                    {"provider": "COMETLY", "outcome": "APPLIED"},
                ],
            }
        },
        "partial": {
            "createContact": {
                "status": "PARTIAL",
                "results": [
                    {"provider": "GATELY", "outcome": "NOT_APPLIED"},
                    {"provider": "KLEN", "outcome": "APPLIED"},
                    {"provider": "COMETLY", "outcome": "APPLIED"},
                ],
            }
        },
        "failed": {"status": 200, "code": "INVALID_INPUT"},
        # The client itself sends a mutation by POST, whatever it was told.
        "mutationByGet": "SUCCEEDED",
        "unknownField": {"status": 400, "code": "GRAPHQL_VALIDATION_FAILED"},
        "wrongVariable": {"status": 400, "code": "BAD_USER_INPUT"},
    }
