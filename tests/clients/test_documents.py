"""Documents by their ids, from end to end: manifests by the tools that frontends use, and Apollo Client in front."""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.sandbox.sandbox import Sandbox
from tests.clients.conftest import CLIENTS, NODE, LiveGateway

# Beside the linters of the schema: Apollo's tool wants the graphql that they have.
PACKAGES = CLIENTS.parent / "schema_tools" / "node_modules"
SCHEMA = CLIENTS.parents[1] / "schema.graphql"

# The first contact of the seeds.
NAMES = ["Priya Quill"]
RAN, UNKNOWN, UNSUPPORTED = (200, None), (404, "PERSISTED_QUERY_NOT_FOUND"), (400, "PERSISTED_QUERY_NOT_SUPPORTED")
UNTRUSTED = (404, "DOCUMENT_NOT_TRUSTED")


@pytest.fixture
def frontend(tmp_path: Path) -> Path:
    """A folder with documents and the packages of a frontend."""
    if not (PACKAGES / "relay-compiler").is_dir():
        reason = "the npm packages of tests/schema_tools are not installed: make install"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    folder = tmp_path / "frontend"
    shutil.copytree(CLIENTS / "documents", folder)
    shutil.copy(SCHEMA, folder)
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "node_modules").symlink_to(PACKAGES, target_is_directory=True)
    return folder


def node(frontend: Path, *words: str, **environment: str) -> str:
    ended = subprocess.run(
        [NODE, *words],
        cwd=frontend,
        env={**os.environ, **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def made(frontend: Path, tool: str) -> Path:
    node(frontend, "make.mjs", tool)
    return frontend / "manifest.json"


def trusting(mode: str, *files: Path, **settings: str) -> dict[str, Any]:
    return {"trusted_documents": mode, "trusted_documents_files": files, **settings}


def asked(frontend: Path, gateway: LiveGateway, ids: str, method: str) -> tuple[list[Any], list[tuple[Any, ...]]]:
    """What Apollo Client got, and what it sent for that with each answer's status and code."""
    seen = json.loads(node(frontend, "client.mjs", ids, method, GATEWAY_URL=gateway.url))
    return seen["names"], [(request[0], request[1], tuple(request[2:])) for request in seen["requests"]]


@pytest.mark.parametrize(
    ("tool", "algorithm", "prefix"),
    [
        ("apollo", "sha256", ""),
        ("relay md5", "md5", ""),
        ("relay sha256", "sha256", ""),
        ("codegen", "sha256", "sha256:"),
        ("codegen sha1", "sha1", ""),
    ],
)
class TestManifests:
    @pytest.fixture
    def more_settings(self, frontend: Path, tool: str) -> dict[str, Any]:
        return trusting("require", made(frontend, tool))

    @pytest.fixture
    def texts(self, more_settings: dict[str, Any]) -> dict[str, str]:
        """The documents by the ids of the file."""
        content = json.loads(more_settings["trusted_documents_files"][0].read_text())
        if "operations" in content:
            return {one["id"]: one["body"] for one in content["operations"]}
        assert isinstance(content, dict)
        return content

    def test_its_documents_are_found_and_no_others(
        self, texts: dict[str, str], live_gateway: LiveGateway, algorithm: str, prefix: str
    ) -> None:
        document_id, text = next(item for item in texts.items() if "irstContacts" in item[1])
        assert document_id == prefix + hashlib.new(algorithm, text.encode()).hexdigest()
        sha256 = hashlib.sha256(text.encode()).hexdigest()

        def send(**body: Any) -> tuple[int, Any]:
            reply = httpx.post(live_gateway.url, json={**body, "variables": {"first": 1}})
            answer = reply.json()
            if "errors" in answer:
                return reply.status_code, answer["errors"][0]["extensions"]["code"]
            return reply.status_code, [one["name"] for one in answer["data"]["contacts"]["nodes"]]

        for known in (document_id, sha256, f"sha256:{sha256}"):
            assert send(documentId=known) == (200, NAMES)
        assert send(query=text) == (200, NAMES)
        assert send(query=f"{text} ") == (403, "DOCUMENT_NOT_TRUSTED")
        assert send(documentId=hashlib.new(algorithm, b"").hexdigest()) == UNTRUSTED


@pytest.mark.parametrize("method", ["POST", "GET"])
class TestApolloClient:
    class TestWithoutPersistedQueries:
        def test_it_falls_back_to_texts_and_stays_there(
            self, frontend: Path, live_gateway: LiveGateway, method: str
        ) -> None:
            names, requests = asked(frontend, live_gateway, "hash", method)

            assert names == [NAMES, NAMES]
            assert requests == [(method, "hash", UNSUPPORTED), ("POST", "text", RAN), ("POST", "text", RAN)]

    class TestWithAutomaticPersistedQueries:
        @pytest.fixture
        def more_settings(self) -> dict[str, Any]:
            return {"automatic_persisted_queries": "on"}

        def test_it_sends_the_text_once(self, frontend: Path, live_gateway: LiveGateway, method: str) -> None:
            names, requests = asked(frontend, live_gateway, "hash", method)

            assert names == [NAMES, NAMES]
            assert requests == [(method, "hash", UNKNOWN), ("POST", "text and hash", RAN), (method, "hash", RAN)]

    class TestWithItsManifest:
        @pytest.fixture
        def more_settings(self, frontend: Path) -> dict[str, Any]:
            return trusting("require", made(frontend, "apollo"))

        def test_it_sends_ids_alone(self, frontend: Path, live_gateway: LiveGateway, method: str) -> None:
            names, requests = asked(frontend, live_gateway, "manifest", method)

            assert names == [NAMES, NAMES]
            assert requests == [(method, "hash", RAN), (method, "hash", RAN)]

        def test_it_does_not_try_to_send_a_text_that_would_be_refused(
            self, frontend: Path, live_gateway: LiveGateway, sandbox: Sandbox, method: str
        ) -> None:
            # Without the manifest Apollo Client hashes another text: it leaves the definitions in their order.
            names, requests = asked(frontend, live_gateway, "hash", method)

            assert names == ["No document is known by this id, and only known documents are taken."] * 2
            assert requests == [(method, "hash", UNTRUSTED)] * 2
            assert [request for simulator in sandbox.simulators for request in simulator.requests] == []
