"""The gateway's answers to the works, over the same bodies that the benchmark's upstream sends."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import uvicorn

from tests.benchmarks.answers import difference
from tests.benchmarks.gateway_server import LINK
from tests.benchmarks.hive_works import translated as for_hive
from tests.benchmarks.series_works import pages_work, providers_work
from tests.benchmarks.slow_upstream import read_delays, upstream
from tests.benchmarks.tailcall_works import translated as for_tailcall
from tests.benchmarks.wire_bodies import PROVIDERS
from tests.benchmarks.works import FIRST_PERSON, WORKS, Work, contact_id, person_id
from tests.conftest import Gateway
from tests.ports import lasting_port

PAIR, ALONE = 3_000_001, 4_000_001
SERIES = (pages_work(3), providers_work(1, ALONE), providers_work(2, PAIR), providers_work(3, FIRST_PERSON))


@pytest.fixture(scope="module")
def upstream_url() -> Iterator[str]:
    port = lasting_port()
    server = uvicorn.Server(uvicorn.Config(upstream({}), host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 60
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(timeout=60)


@pytest.fixture
def gateway(start_gateway: Callable[..., Gateway], upstream_url: str) -> Gateway:
    environment = {f"{name.upper()}_BASE_URL": f"{upstream_url}/{name}" for name in PROVIDERS}
    return start_gateway(environment=environment, max_root_fields=50)


def link(gateway: Gateway, providers: tuple[str, ...], number: int) -> None:
    gateway.data(LINK, ids=[contact_id(provider, number) for provider in providers])


@pytest.mark.parametrize("work", [*WORKS, *SERIES], ids=lambda work: work.name)
def test_the_gateway_gives_the_answer_that_is_expected(gateway: Gateway, work: Work) -> None:
    link(gateway, PROVIDERS, person_id(1))
    link(gateway, PROVIDERS[:2], PAIR + 1)
    body = json.loads(work.body(1))

    answer = gateway.send(body["query"], **body["variables"])

    assert answer == {"data": work.answer(1)}


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.name)
def test_no_two_requests_of_a_work_are_equal_but_where_its_title_says_so(work: Work) -> None:
    bodies = {work.body(number) for number in range(50)}

    assert len(bodies) == (1 if work.name == "W5" else 50)


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.name)
@pytest.mark.parametrize("translated", [for_tailcall, for_hive])
def test_a_work_in_another_servers_terms_asks_for_the_same_contacts(
    work: Work, translated: Callable[[Work], Work]
) -> None:
    other = translated(work)

    assert (other.name, other.distinct, other.share, other.calls) == (work.name, work.distinct, work.share, work.calls)
    assert names(other.answer(3)) == names(work.answer(3))


def names(answer: object) -> set[str]:
    """Of everybody in an answer, wherever it has them."""
    return set(re.findall(r"A[a-z]+ Aalto( [0-9]+)?", json.dumps(answer)))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"data": {"a": [1, {"b": None}]}, "extensions": {"cost": 1}}, None),
        ({"data": {"a": [1, {"b": 2}]}}, "data.a[1].b is 2 instead of null"),
        ({"data": {"a": [1]}}, "data.a is [1] instead of [1, {"),
        ({"data": {"a": [True, {"b": None}]}}, "data.a[0] is true instead of 1"),
        ({"data": {"a": [1, {"b": None}]}, "errors": []}, "answers {"),
        ({"data": None}, "data is null instead of {"),
        ([], "answers []"),
    ],
)
def test_a_wrong_answer_is_told_by_its_place(answer: object, said: str | None) -> None:
    found = difference(answer, {"a": [1, {"b": None}]})

    assert found == said if said is None else found is not None and found.startswith(said)


def test_delays_are_read_from_words() -> None:
    assert read_delays(["gately=20", "klen=0.5"]) == {"gately": 20.0, "klen": 0.5}
