"""`gateway documents`, and manifests that end the start of `gateway serve`."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]

GOOD = "query Kind { __typename }"


@pytest.fixture(autouse=True)
def files(run: Run, tmp_path: Path) -> None:
    """In the folder that the commands run in."""
    (tmp_path / "good.json").write_text(json.dumps({"1": GOOD}))
    (tmp_path / "bad.json").write_text(json.dumps({"2": "query A { zzz }", "3": "{"}))


def test_it_lists_the_documents_with_their_hashes(run: Run) -> None:
    result = run("documents", "good.json")

    text_hash = hashlib.sha256(GOOD.encode()).hexdigest()
    assert (result.exit_code, result.stdout) == (0, f'sha256:{text_hash}  good.json, "1"\n')


def test_a_check_of_a_good_file_says_nothing(run: Run) -> None:
    result = run("documents", "--check", "good.json")

    assert (result.exit_code, result.output) == (0, "")


def test_a_check_lists_every_problem_and_ends_with_1(run: Run) -> None:
    result = run("documents", "--check", "good.json", "bad.json")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [
        "bad.json, \"2\" (query A): Cannot query field 'zzz' on type 'Query'. (line 1, column 11)",
        'bad.json, "3": Syntax Error: Expected Name, found <EOF>. (line 1, column 2)',
    ]


def test_a_check_holds_documents_against_the_limits_of_the_settings(run: Run, tmp_path: Path) -> None:
    (tmp_path / "deep.json").write_text(json.dumps({"1": "{ contacts { nodes { id } } }"}))
    assert run("documents", "--check", "deep.json", GATEWAY_MAX_DEPTH="3").exit_code == 0

    result = run("documents", "--check", "deep.json", GATEWAY_MAX_DEPTH="2")

    message = "The operation nests 3 fields deep; at most 2 are allowed. (line 1, column 1)"
    assert (result.exit_code, result.stderr) == (1, f'deep.json, "1" (query): {message}\n')


@pytest.mark.parametrize("words", [("documents", "missing.json"), ("documents", "--check", "missing.json")])
def test_a_file_that_cannot_be_read_is_one_message(run: Run, words: tuple[str, ...]) -> None:
    result = run(*words)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "missing.json: cannot be read (No such file or directory).\n"


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        (
            {"GATEWAY_TRUSTED_DOCUMENTS": "require", "GATEWAY_TRUSTED_DOCUMENTS_FILES": "good.json, bad.json"},
            (
                "GATEWAY_TRUSTED_DOCUMENTS_FILES: bad.json, \"2\" (query A): Cannot query field 'zzz' on type 'Query'."
                " (line 1, column 11) (1 more; `gateway documents --check` lists them all.)\n"
            ),
        ),
        (
            {"GATEWAY_TRUSTED_DOCUMENTS": "log", "GATEWAY_TRUSTED_DOCUMENTS_FILES": "missing.json"},
            "GATEWAY_TRUSTED_DOCUMENTS_FILES: missing.json: cannot be read (No such file or directory).\n",
        ),
        (
            {"GATEWAY_TRUSTED_DOCUMENTS": "require"},
            (
                "GATEWAY_TRUSTED_DOCUMENTS_FILES: names no file, but GATEWAY_TRUSTED_DOCUMENTS is not off."
                " Give manifests of Apollo, Relay or GraphQL Code Generator, by commas, such as web.json,admin.json.\n"
            ),
        ),
        (
            {
                "GATEWAY_TRUSTED_DOCUMENTS": "require",
                "GATEWAY_TRUSTED_DOCUMENTS_FILES": "good.json",
                "GATEWAY_AUTOMATIC_PERSISTED_QUERIES": "on",
            },
            (
                "GATEWAY_AUTOMATIC_PERSISTED_QUERIES: cannot be on while GATEWAY_TRUSTED_DOCUMENTS is require."
                " Give off, or on: a document that came with its SHA-256 is found by it afterwards.\n"
            ),
        ),
    ],
    ids=["a document", "a file", "no file", "strangers"],
)
def test_serve_does_not_start_with(run: Run, tmp_path: Path, environment: dict[str, str], message: str) -> None:
    result = run("serve", KLEN_API_KEY="key", **environment)

    assert (result.exit_code, result.stdout, result.stderr) == (1, "", message)
    assert not (tmp_path / "contact-gateway.db").exists()
