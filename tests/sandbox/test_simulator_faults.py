"""Each kind of fault as a real client meets it over a real socket, and whether the write was applied."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, get_args

import httpx
import pytest

from gateway.sandbox.faults import FAULT_KINDS, BadFault, Fault, FaultKind
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.seed.landmarks import EVERYWHERE_EMAIL, EVERYWHERE_KLEN_ID
from gateway.sandbox.server import RunningSandbox
from tests.sandbox.fake_time import FakeTime

CREATES: dict[str, tuple[str, dict[str, Any]]] = {
    "gately": ("/contacts", {"name": "Ines Aalto", "email": "ines@aalto.test", "tags": ["Beta"]}),
    "cometly": ("/contacts", {"emails": ["ines@aalto.test", "i@aalto.test"], "names": ["Ines Aalto"]}),
    "klen": ("/contacts/create", {"first_name": "Ines", "email": "ines@aalto.test"}),
}
EIGHT_MIB = 8 * 1024 * 1024


@pytest.fixture(params=list(CREATES))
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Writer:
    """Creates one contact at the provider under test and tells whether it arrived."""

    def __init__(self, sandbox: Sandbox, provider: str, client: httpx.Client) -> None:
        self.simulator: Any = getattr(sandbox, provider)
        self._client = client
        self._path, self._body = CREATES[provider]
        self._before = len(self.simulator.contacts)

    def create(self, *, timeout: float = 5.0) -> httpx.Response:
        return self._client.post(self._path, json=self._body, timeout=timeout)

    @property
    def applied(self) -> bool:
        return len(self.simulator.contacts) == self._before + 1


@pytest.fixture
def writer(sandbox: Sandbox, provider: str, clients: dict[str, httpx.Client]) -> Writer:
    return Writer(sandbox, provider, clients[provider])


def test_every_kind_is_described() -> None:
    assert set(FAULT_KINDS) == set(get_args(FaultKind))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 410, 418, 422, 429, 500, 501, 502, 503, 504])
def test_a_status_is_answered_and_nothing_applied(status: int, writer: Writer) -> None:
    writer.simulator.faults.add(Fault(kind="status", status=status))
    answer = writer.create()
    assert (answer.status_code, writer.applied) == (status, False)
    assert answer.json()


def test_a_status_may_come_after_the_write(writer: Writer) -> None:
    writer.simulator.faults.add(Fault(kind="status", status=500, applied=True))
    assert (writer.create().status_code, writer.applied) == (500, True)


def test_a_success_status_carries_the_right_answer(writer: Writer) -> None:
    writer.simulator.faults.add(Fault(kind="status", status=202))
    answer = writer.create()
    assert (answer.status_code, writer.applied) == (202, True)
    assert "id" in answer.json()


def test_retry_after_is_given_in_seconds_or_as_a_date(writer: Writer, time: FakeTime) -> None:
    writer.simulator.faults.add(Fault(kind="status", status=429, retry_after_seconds=7, count=1))
    writer.simulator.faults.add(
        Fault(kind="status", status=503, retry_after_seconds=7, retry_after_form="date", count=1)
    )
    writer.simulator.faults.add(Fault(kind="status", status=503))
    answers = [writer.create() for _ in range(3)]
    assert answers[0].headers["retry-after"] == "7"
    assert parsedate_to_datetime(answers[1].headers["retry-after"]) == datetime(2031, 3, 4, 5, 6, 14, tzinfo=UTC)
    assert "retry-after" not in answers[2].headers


def test_klen_carries_the_machine_code_of_the_fault_or_of_the_status(sandbox: Sandbox, klen: httpx.Client) -> None:
    sandbox.klen.faults.add(Fault(kind="status", status=404, code="team_not_found", message="No", count=1))
    sandbox.klen.faults.add(Fault(kind="status", status=429, count=1))
    assert klen.get("/contacts").json() == {"error": "team_not_found", "message": "No"}
    assert klen.get("/contacts").json()["error"] == "rate_limit_exceeded"


def test_hang_answers_nothing_until_the_client_leaves(writer: Writer) -> None:
    writer.simulator.faults.add(Fault(kind="hang"))
    with pytest.raises(httpx.ReadTimeout):
        writer.create(timeout=0.05)
    assert not writer.applied


def test_slow_applies_and_answers_rightly_after_its_delay(writer: Writer, time: FakeTime) -> None:
    writer.simulator.faults.add(Fault(kind="slow", delay_ms=1500))
    assert "id" in writer.create().json()
    assert (time.naps, writer.applied) == ([1.5], True)


def test_drip_sends_the_right_answer_in_pieces(writer: Writer, time: FakeTime) -> None:
    writer.simulator.faults.add(Fault(kind="drip", chunk_bytes=5, delay_ms=250))
    answer = writer.create()
    assert "id" in answer.json()
    pieces = -(-len(answer.content) // 5)
    assert time.naps == [0.25] * (pieces - 1)
    assert writer.applied


@pytest.mark.parametrize(("kind", "applied"), [("drop_before", False), ("drop_after", True)])
def test_a_dropped_connection_is_really_closed(kind: FaultKind, applied: bool, writer: Writer) -> None:
    writer.simulator.faults.add(Fault(kind=kind))
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        writer.create()
    assert writer.applied is applied


def test_html_comes_with_a_success_status(writer: Writer) -> None:
    writer.simulator.faults.add(Fault(kind="html"))
    answer = writer.create()
    assert (answer.status_code, answer.headers["content-type"]) == (201, "text/html; charset=utf-8")
    assert writer.applied


def test_cut_json_is_as_long_as_its_header_says_and_not_json(writer: Writer) -> None:
    writer.simulator.faults.add(Fault(kind="cut_json"))
    answer = writer.create()
    assert int(answer.headers["content-length"]) == len(answer.content)
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        answer.json()
    assert (answer.status_code, writer.applied) == (201, True)


def test_wrong_shape_is_json_of_other_types(
    sandbox: Sandbox, clients: dict[str, httpx.Client], provider: str, writer: Writer
) -> None:
    writer.simulator.faults.add(Fault(kind="wrong_shape"))
    answer = writer.create().json()
    assert writer.applied
    expected = {"gately": lambda: answer["unsubscribed"], "cometly": lambda: answer["emails"], "klen": lambda: answer}
    wrong = {"gately": str, "cometly": str, "klen": list}
    assert isinstance(expected[provider](), wrong[provider])


def test_wrong_shape_reaches_into_lists_and_details(sandbox: Sandbox, klen: httpx.Client) -> None:
    sandbox.klen.faults.add(Fault(kind="wrong_shape"))
    phone = klen.get(f"/contacts/{EVERYWHERE_KLEN_ID}").json()["phone_numbers"][0]
    assert (phone["primary"], phone["do_not_call"]) == ("yes", "no")


def test_no_id_leaves_out_nothing_else(writer: Writer) -> None:
    writer.simulator.faults.add(Fault(kind="no_id"))
    answer = writer.create().json()
    assert "id" not in answer
    assert answer
    assert writer.applied


def test_huge_is_right_but_for_its_size(writer: Writer) -> None:
    writer.simulator.faults.add(Fault(kind="huge"))
    answer = writer.create()
    assert len(answer.content) > EIGHT_MIB
    assert "id" in answer.json()
    assert writer.applied


def test_redirect_points_elsewhere_and_applies_nothing(writer: Writer) -> None:
    writer.simulator.faults.add(Fault(kind="redirect"))
    answer = writer.create()
    assert (answer.status_code, answer.headers["location"]) == (302, "http://127.0.0.1:9/elsewhere")
    assert not writer.applied


def test_a_refusal_stays_a_refusal_under_a_fault_about_success(writer: Writer) -> None:
    writer.simulator.faults.add(Fault(kind="html"))
    writer._body = {"surprise": True}
    answer = writer.create()
    assert (answer.status_code in (400, 422), writer.applied) == (True, False)
    assert answer.json()


def test_a_fault_lasts_for_its_count(writer: Writer) -> None:
    writer.simulator.faults.add(Fault(kind="status", status=503, count=2))
    assert [writer.create().status_code for _ in range(3)] == [503, 503, 201]


def test_a_fault_without_count_lasts_until_cleared(writer: Writer) -> None:
    writer.simulator.faults.add(Fault(kind="status", status=503))
    assert [writer.create().status_code for _ in range(3)] == [503, 503, 503]
    writer.simulator.faults.clear()
    assert writer.create().status_code == 201


def test_a_fault_strikes_only_its_operation(sandbox: Sandbox, gately: httpx.Client) -> None:
    sandbox.gately.faults.add(Fault(kind="status", status=503, operation="find"))
    assert gately.get("/contacts").status_code == 200
    assert gately.get("/contacts", params={"search": EVERYWHERE_EMAIL}).status_code == 503
    sandbox.gately.faults.clear()
    sandbox.gately.faults.add(Fault(kind="status", status=503, operation="list"))
    assert gately.get("/contacts").status_code == 503
    assert gately.get("/contacts", params={"search": EVERYWHERE_EMAIL}).status_code == 503
    assert gately.post("/contacts", json=CREATES["gately"][1]).status_code == 201


def test_a_provider_has_only_the_operations_of_its_documentation(sandbox: Sandbox) -> None:
    with pytest.raises(BadFault, match="this provider has create, list, read, update"):
        sandbox.cometly.faults.add(Fault(kind="hang", operation="delete"))


def test_a_fault_leaves_the_other_providers_alone(sandbox: Sandbox, clients: dict[str, httpx.Client]) -> None:
    sandbox.klen.faults.add(Fault(kind="drop_before"))
    for provider in ("gately", "cometly"):
        path, body = CREATES[provider]
        assert clients[provider].post(path, json=body).status_code == 201


def test_faults_can_be_set_listed_and_cleared_over_http(served: RunningSandbox, klen: httpx.Client) -> None:
    control = f"{served.klen.control_url}/faults"
    set_answer = klen.post(control, json={"kind": "status", "status": 503, "operation": "read", "count": 2})
    assert set_answer.status_code == 201
    assert klen.get(f"/contacts/{EVERYWHERE_KLEN_ID}").status_code == 503
    (listed,) = klen.get(control).json()["faults"]
    assert (listed["kind"], listed["status"], listed["remaining"]) == ("status", 503, 1)
    assert klen.delete(control).json() == {"faults": []}
    assert klen.get(f"/contacts/{EVERYWHERE_KLEN_ID}").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"kind": "explode"}',
        b'{"kind": "status"}',
        b'{"kind": "status", "status": 42}',
        b'{"kind": "hang", "status": 500}',
        b'{"kind": "hang", "operation": "bake"}',
        b'{"kind": "hang", "count": 0}',
        b'{"kind": "hang", "cuont": 1}',
    ],
)
def test_bad_control_input_is_a_clear_400(body: bytes, served: RunningSandbox, klen: httpx.Client) -> None:
    answer = klen.post(f"{served.klen.control_url}/faults", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("not a fault: ")
    assert klen.get(f"{served.klen.control_url}/faults").json() == {"faults": []}


def test_the_log_holds_every_request_with_masked_credentials(served: RunningSandbox, klen: httpx.Client) -> None:
    klen.post("/contacts/create", params={"api_key": "klen_secret"}, json={"first_name": "Noor"})
    (logged,) = klen.get(f"{served.klen.control_url}/requests").json()["requests"]
    assert (logged["method"], logged["path"]) == ("POST", "/api/v1/contacts/create")
    assert (logged["query"], logged["body"]) == ({"api_key": "***"}, {"first_name": "Noor"})
    assert (logged["operation"], logged["fault"]) == ("create", None)
    assert logged["headers"]["authorization"] == "***"


def test_reset_over_http_restores_contacts_faults_and_log(
    served: RunningSandbox, sandbox: Sandbox, gately: httpx.Client
) -> None:
    seeded = gately.get(f"{served.gately.control_url}/contacts").json()
    gately.delete(f"/contacts/{seeded['contacts'][0]['id']}")
    sandbox.gately.faults.add(Fault(kind="hang"))
    assert gately.post(f"{served.gately.control_url}/reset").status_code == 200
    assert gately.get(f"{served.gately.control_url}/contacts").json() == seeded
    assert (sandbox.gately.faults.pending, sandbox.gately.requests) == ([], [])


def test_an_unknown_control_path_is_not_found(served: RunningSandbox, gately: httpx.Client) -> None:
    assert gately.get(f"{served.gately.control_url}/nothing").status_code == 404
    assert gately.put(f"{served.gately.control_url}/faults").status_code == 405
