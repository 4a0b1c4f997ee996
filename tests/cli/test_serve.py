"""`gateway serve`: answers, ends when told to, and says in one message what keeps it from starting."""

import signal
import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from click.testing import Result

from gateway.sandbox.server import RunningSandbox
from tests.cli.conftest import ADDRESS, Process, Started

SECRET = "gately_sk_live_do_not_print_me"


@pytest.fixture(scope="module")
def served(start_shared: Started, simulators: RunningSandbox) -> Process:
    return start_shared("serve", **simulators.environment())


def ask(process: Process, query: str) -> httpx.Response:
    with httpx.Client(trust_env=False, verify=False, timeout=30) as client:
        return client.post(f"{process.address(ADDRESS)}/graphql", json={"query": query})


class TestRunning:
    def test_the_address_that_it_prints_answers_at_once(self, start: Started) -> None:
        """Whoever waits for the line to be printed may connect: it is not printed too early."""
        process = start("serve", KLEN_API_KEY="key")
        port = int(process.printed(ADDRESS)[2])

        socket.create_connection(("127.0.0.1", port), timeout=30).close()

    def test_it_answers_from_the_configured_providers(self, served: Process) -> None:
        reply = ask(served, "{ contacts(first: 2) { nodes { name } } }")

        assert reply.status_code == 200
        assert [bool(node["name"]) for node in reply.json()["data"]["contacts"]["nodes"]] == [True, True]

    def test_it_says_which_providers_are_configured(self, served: Process) -> None:
        assert served.printed(r"Providers: (.*)\n")[1] == "Gately, Klen AI, Cometly"

    def test_it_is_ready(self, served: Process) -> None:
        with httpx.Client(trust_env=False, verify=False, timeout=30) as client:
            reply = client.get(f"{served.address(ADDRESS)}/health/ready")

        assert (reply.status_code, reply.json()) == (200, {"status": "ok"})

    def test_its_log_tells_of_no_contact(self, served: Process) -> None:
        ask(served, '{ contactsByEmail(email: "ada.winter@northwind.example") { contacts { name } } }')
        ask(served, '{ contacts(filter: {search: "ada.winter"}) { nodes { name } } }')

        assert "winter" not in (served.stdout + served.stderr).lower()


def received(caller: socket.socket, *, until: bytes) -> bytes:
    answer = b""
    while until not in answer:
        piece = caller.recv(65_536)
        assert piece, answer
        answer += piece
    return answer


class TestEnding:
    def test_what_runs_is_answered_before_sigterm_ends_it(
        self, start: Started, simulators: RunningSandbox, tmp_path: Path
    ) -> None:
        process = start("serve", **simulators.environment())
        body = b'{"query": "{ __typename }"}'
        head = f"POST /graphql HTTP/1.1\r\nHost: [::1]\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        port = urlsplit(process.address(ADDRESS)).port
        with socket.create_connection(("127.0.0.1", port), timeout=30) as caller:
            caller.sendall(b"GET /health/live HTTP/1.1\r\nHost: [::1]\r\n\r\n")
            assert b"200 OK" in received(caller, until=b'"ok"}')
            caller.sendall(head.encode() + b"\r\n\r\n" + body[:10])
            process.popen.send_signal(signal.SIGTERM)
            caller.sendall(body[10:])
            answer = received(caller, until=b'"Query"}')

        assert b"200 OK" in answer
        assert (process.wait(), process.stderr) == (0, "")
        assert (tmp_path / "contact-gateway.db").exists()

    def test_one_provider_is_enough_and_an_interrupt_ends_it_too(self, start: Started) -> None:
        """Ctrl+C: uvicorn passes the signal on when it is done, and what is then closed must not be cancelled."""
        process = start("serve", KLEN_API_KEY="key")

        asked = ask(process, '{ contact(id: "Q29udGFjdDprbGVuOjkwMDE=") { id } }').json()

        assert process.printed(r"Providers: (.*)\n")[1] == "Klen AI"
        assert asked["data"] == {"contact": {"id": "Q29udGFjdDprbGVuOjkwMDE="}}
        assert "errors" not in asked
        assert (process.end(signal.SIGINT), process.stderr) == (0, "")


KEY = {"GATELY_API_KEY": SECRET}
COMETLY = {"COMETLY_API_KEY": SECRET}
WRONG_SETTINGS: dict[str, tuple[dict[str, str], str]] = {
    "no provider": ({}, "GATELY_API_KEY"),
    "blank keys": ({"GATELY_API_KEY": " ", "KLEN_API_KEY": ""}, "GATELY_API_KEY"),
    "a port of letters": ({**KEY, "GATEWAY_PORT": "http"}, "GATEWAY_PORT"),
    "a port too high": ({**KEY, "GATEWAY_PORT": "65536"}, "GATEWAY_PORT"),
    "a port below zero": ({**KEY, "GATEWAY_PORT": "-1"}, "GATEWAY_PORT"),
    "an empty port": ({**KEY, "GATEWAY_PORT": ""}, "GATEWAY_PORT"),
    "no host": ({**KEY, "GATEWAY_HOST": ""}, "GATEWAY_HOST"),
    "a host that is not here": ({**KEY, "GATEWAY_HOST": "203.0.113.7"}, "GATEWAY_HOST"),
    "a host that is none": ({**KEY, "GATEWAY_HOST": "not a host"}, "GATEWAY_HOST"),
    "an impossible host": ({**KEY, "GATEWAY_HOST": "a" * 70 + ".test"}, "GATEWAY_HOST"),
    "an unknown mode": ({**KEY, "GATEWAY_MODE": "prod"}, "GATEWAY_MODE"),
    "a URL for a host": ({**KEY, "GATEWAY_ALLOWED_HOSTS": "https://api.example"}, "GATEWAY_ALLOWED_HOSTS"),
    "a host with a port": ({**KEY, "GATEWAY_ALLOWED_HOSTS": "api.example:443"}, "GATEWAY_ALLOWED_HOSTS"),
    "another database": ({**KEY, "GATEWAY_DATABASE_URL": f"mysql://gateway:{SECRET}@db/x"}, "GATEWAY_DATABASE_URL"),
    "a port of a database that is none": (
        {**KEY, "GATEWAY_DATABASE_URL": f"postgresql://gateway:{SECRET}@127.0.0.1:{SECRET}/x"},
        "GATEWAY_DATABASE_URL",
    ),
    "no length of time": ({**KEY, "GATEWAY_OPERATION_RETENTION": "a day"}, "GATEWAY_OPERATION_RETENTION"),
    "no settling": ({**KEY, "GATEWAY_SETTLING_SECONDS": "-1"}, "GATEWAY_SETTLING_SECONDS"),
    "no URL of a database": ({**KEY, "GATEWAY_DATABASE_URL": "gateway.db"}, "GATEWAY_DATABASE_URL"),
    "precedence of a stranger": ({**KEY, "GATEWAY_PRECEDENCE": "gately,hubspot"}, "GATEWAY_PRECEDENCE"),
    "precedence twice": ({**KEY, "GATEWAY_PRECEDENCE": "klen,klen"}, "GATEWAY_PRECEDENCE"),
    "empty precedence": ({**KEY, "GATEWAY_PRECEDENCE": ""}, "GATEWAY_PRECEDENCE"),
    "no time": ({**KEY, "GATEWAY_CONNECT_TIMEOUT_SECONDS": "0"}, "GATEWAY_CONNECT_TIMEOUT_SECONDS"),
    "time backwards": ({**KEY, "GATEWAY_ATTEMPT_TIMEOUT_SECONDS": "-5"}, "GATEWAY_ATTEMPT_TIMEOUT_SECONDS"),
    "time without end": ({**KEY, "GATEWAY_QUERY_DEADLINE_SECONDS": "inf"}, "GATEWAY_QUERY_DEADLINE_SECONDS"),
    "no number": ({**KEY, "GATEWAY_MUTATION_DEADLINE_SECONDS": "nan"}, "GATEWAY_MUTATION_DEADLINE_SECONDS"),
    "a base URL that is none": ({**KEY, "GATELY_BASE_URL": "api.usegately.com"}, "GATELY_BASE_URL"),
    "another scheme": ({"KLEN_API_KEY": SECRET, "KLEN_BASE_URL": "ftp://api.klen.ai"}, "KLEN_BASE_URL"),
    "an open line in production": (
        {**COMETLY, "COMETLY_BASE_URL": "http://app.cometly.com/public-api/v1", "GATEWAY_MODE": "production"},
        "COMETLY_BASE_URL",
    ),
    "a key with a line break": ({"GATELY_API_KEY": f"{SECRET}\nX-Admin: 1"}, "GATELY_API_KEY"),
    "a key with a foreign sign": ({"KLEN_API_KEY": f"{SECRET}é"}, "KLEN_API_KEY"),
    "a project of another form": ({**KEY, "GATELY_PROJECT_ID": "a b\r\nc"}, "GATELY_PROJECT_ID"),
    "an unknown time zone": ({**COMETLY, "COMETLY_TIMEZONE": "Mars/Base"}, "COMETLY_TIMEZONE"),
    "a path for a time zone": ({**COMETLY, "COMETLY_TIMEZONE": "../../etc/passwd"}, "COMETLY_TIMEZONE"),
    "custom fields that are no JSON": ({**COMETLY, "COMETLY_CUSTOM_FIELDS": "tier"}, "COMETLY_CUSTOM_FIELDS"),
    "custom fields in a list": ({**COMETLY, "COMETLY_CUSTOM_FIELDS": "[]"}, "COMETLY_CUSTOM_FIELDS"),
    "a slot that is none": (
        {**COMETLY, "COMETLY_CUSTOM_FIELDS": '{"tier": "profile_field_31"}'},
        "COMETLY_CUSTOM_FIELDS",
    ),
    "a slot twice": (
        {**COMETLY, "COMETLY_CUSTOM_FIELDS": '{"a": "profile_field_1", "b": "profile_field_1"}'},
        "COMETLY_CUSTOM_FIELDS",
    ),
    "a number for a slot": ({**COMETLY, "COMETLY_CUSTOM_FIELDS": '{"tier": 1}'}, "COMETLY_CUSTOM_FIELDS"),
}

# What is known only once the database is opened.
WRONG_SETTINGS_OF_THE_PROCESS: dict[str, tuple[dict[str, str], str]] = {
    "a port of letters": ({**KEY, "GATEWAY_PORT": "http"}, "GATEWAY_PORT"),
    "a folder that is missing": (
        {**KEY, "GATEWAY_DATABASE_URL": "sqlite:////no/such/folder/gateway.db"},
        "GATEWAY_DATABASE_URL",
    ),
    "an option that is none": (
        {**KEY, "GATEWAY_DATABASE_URL": "sqlite:///x.db?timeout=soon"},
        "GATEWAY_DATABASE_URL",
    ),
    "a PostgreSQL that does not run": (
        {**KEY, "GATEWAY_DATABASE_URL": f"postgresql://gateway:{SECRET}@127.0.0.1:1/x"},
        "GATEWAY_DATABASE_URL",
    ),
    "a password with a sign of its own": (
        {**KEY, "GATEWAY_DATABASE_URL": f"postgresql://gateway:p@{SECRET}@127.0.0.1:1/x"},
        "GATEWAY_DATABASE_URL",
    ),
    "a folder for the database": ({**KEY, "GATEWAY_DATABASE_URL": "sqlite:////tmp"}, "GATEWAY_DATABASE_URL"),
}


def assert_one_message(code: int, stdout: str, message: str, variable: str) -> None:
    assert (code, stdout) == (1, "")
    assert "Traceback" not in message, message
    assert message.count("\n") == 1, message
    assert variable in message
    assert message.rstrip().endswith((".", "?"))
    assert SECRET not in message


class TestWrongSettings:
    @pytest.mark.parametrize(("environment", "variable"), WRONG_SETTINGS.values(), ids=WRONG_SETTINGS)
    def test_each_ends_the_start_with_one_message_that_names_the_variable(
        self, run: Callable[..., Result], environment: dict[str, str], variable: str
    ) -> None:
        result = run("serve", **environment)

        assert_one_message(result.exit_code, result.stdout, result.stderr, variable)

    def test_so_it_does_as_a_process(self, start: Started) -> None:
        """What a traceback of a thread or of the interpreter's end would spoil is seen only from outside."""
        processes = {
            name: start("serve", **environment) for name, (environment, _) in WRONG_SETTINGS_OF_THE_PROCESS.items()
        }

        for name, process in processes.items():
            code = process.wait()
            assert_one_message(code, process.stdout, process.stderr, WRONG_SETTINGS_OF_THE_PROCESS[name][1])

    @pytest.mark.parametrize("command", ["serve", "demo"])
    def test_a_port_that_is_taken_is_named(self, run: Callable[..., Result], command: str) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            result = run(command, **KEY, GATEWAY_PORT=str(port))

        assert_one_message(result.exit_code, result.stdout, result.stderr, "GATEWAY_PORT")
        assert f"127.0.0.1:{port}" in result.stderr

    def test_a_file_that_is_no_database_is_named(self, run: Callable[..., Result], tmp_path: Path) -> None:
        (tmp_path / "letter.txt").write_text("Dear Ada, this is not a database at all.\n" * 200)

        result = run("serve", **KEY, GATEWAY_DATABASE_URL="sqlite:///letter.txt")

        assert_one_message(result.exit_code, result.stdout, result.stderr, "GATEWAY_DATABASE_URL")

    def test_an_env_file_in_another_encoding_is_named(self, run: Callable[..., Result], tmp_path: Path) -> None:
        (tmp_path / ".env").write_bytes(f"# Schlüssel\nGATELY_API_KEY={SECRET}\n".encode("latin-1"))

        result = run("serve")

        assert_one_message(result.exit_code, result.stdout, result.stderr, ".env")


def test_an_unknown_command_or_option_is_explained(run: Callable[..., Result]) -> None:
    for words in (["fly"], ["serve", "--fast"], ["sandbox", "--port", "70000"]):
        result = run(*words)

        assert (result.exit_code, result.stdout) == (2, "")
        assert "Usage" in result.stderr


def test_without_a_command_the_commands_are_shown(run: Callable[..., Result]) -> None:
    result = run()

    shown = result.stdout + result.stderr
    assert [name for name in ("serve", "demo", "sandbox", "schema", "check") if name not in shown] == []
