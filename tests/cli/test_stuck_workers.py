"""Workers that die at once, are stuck or will not end: their parent neither hurries nor waits without end."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from textwrap import indent
from typing import Any, cast

import pytest

from gateway.worker_places import Place
from gateway.worker_pulse import Pulses, Watch

PARENT = """
import asyncio, os, signal, socket, sys, time
from gateway import worker_places, workers
from gateway.logs import configure_logs
from gateway.worker_pulse import Pulses, Watch

configure_logs("json")
worker_places.FIRST_PAUSE_SECONDS, workers._GRACE_SECONDS = 0.05, 0.3
pulses, timeout_seconds = Pulses(2), 0

{work}

def say_ready():
    print("ready", flush=True)
    {then}

listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
gone = lambda pid: print("gone", flush=True)
watch = Watch(pulses, timeout_seconds=timeout_seconds)
parent = workers.Workers(listeners, work, say_ready=say_ready, gone=gone, watch=watch, shutdown_seconds=0)
sys.exit(parent.run())
"""
DIES = """
def work(post):
    post.ready()
    if post.number == 1:
        time.sleep(0.05)
        sys.exit(3)
    post.orders.recv_bytes()
"""
IS_STUCK = """
def work(post):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    post.ready()
    while True:
        time.sleep(60)
"""
CANNOT_START = """
def work(post):
    if post.number == 1:
        sys.exit("no start")
    post.ready()
    post.orders.recv_bytes()
"""
NO_MEMORY_TWICE = """
fork, refused = os.fork, []
def out_of_memory():
    if len(refused) < 2:
        refused.append(1)
        raise OSError(12, "Cannot allocate memory")
    return fork()
os.fork = out_of_memory
signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGTERM)); signal.alarm(2)
"""
DIES_ONCE = """
born = time.monotonic()
def work(post):
    post.ready()
    if post.number == 1 and time.monotonic() - born < 0.5:
        time.sleep(0.2)
        sys.exit(3)
    post.orders.recv_bytes()
"""
STANDS_STILL = """
timeout_seconds, born = 1, time.monotonic()

def work(post):
    async def serve():
        with pulses.of(post.number):
            post.ready()
            if post.number == 1 and time.monotonic() - born < 0.9:
                time.sleep(60)
            await asyncio.to_thread(post.orders.recv_bytes)
    asyncio.run(serve())
"""
TELLS_TO_END = "os.kill(os.getpid(), signal.SIGTERM)"
TELLS_TO_END_THRICE = f"{TELLS_TO_END}; {TELLS_TO_END}; {TELLS_TO_END}"
TELLS_TO_END_LATER = "signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGTERM)); signal.alarm(1)"


TELLS_TO_END_IN_THE_END = TELLS_TO_END_LATER.replace("alarm(1)", "alarm(4)")


def run(work: str, then: str = "pass") -> subprocess.CompletedProcess[str]:
    script = PARENT.format(work=work, then=indent(then, "    ").strip())
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)


def test_one_that_dies_again_and_again_is_started_ever_more_seldom() -> None:
    ended = run(DIES, TELLS_TO_END_LATER)

    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    pauses = [line["again_in_seconds"] for line in lines]
    assert {(line["event"], line["worker"], line["exit_code"]) for line in lines} == {("worker_ended", 1, 3)}
    assert len(pauses) >= 3
    assert pauses == [0.05 * 2**times for times in range(len(pauses))]


def test_one_that_is_stuck_is_killed_when_its_time_is_over() -> None:
    ended = run(IS_STUCK, TELLS_TO_END)

    assert (ended.stdout, ended.returncode) == ("ready\ngone\ngone\n", 1)
    (line,) = map(json.loads, ended.stderr.splitlines())
    assert (line["event"], line["level"], line["count"]) == ("workers_killed", "error", 2)


def test_a_third_signal_kills_them_at_once() -> None:
    ended = run(IS_STUCK, TELLS_TO_END_THRICE)

    assert (ended.stdout, ended.stderr, ended.returncode) == ("ready\ngone\ngone\n", "", 1)


def test_where_one_cannot_start_none_is_left() -> None:
    ended = run(CANNOT_START)

    assert (ended.stdout, ended.stderr, ended.returncode) == ("gone\ngone\n", "no start\n", 1)


def test_where_the_system_refuses_another_process_it_is_asked_again() -> None:
    ended = run(DIES_ONCE, NO_MEMORY_TWICE)

    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["worker_ended", "worker_not_started", "worker_not_started"]
    assert [line["again_in_seconds"] for line in lines] == [0.05, 0.1, 0.2]
    assert lines[1]["error"] == "Cannot allocate memory"
    assert (ended.stdout, ended.returncode) == ("ready\ngone\ngone\ngone\n", 0)


def test_one_that_stands_still_is_killed_and_replaced_and_the_other_goes_on() -> None:
    ended = run(STANDS_STILL, TELLS_TO_END_IN_THE_END)

    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [(line["event"], line["level"], line["worker"]) for line in lines] == [
        ("worker_stuck", "error", 1),
        ("worker_ended", "error", 1),
    ]
    assert (lines[0]["silent_seconds"], lines[1]["exit_code"], lines[0]["pid"]) == (1, -9, lines[1]["pid"])
    assert (ended.stdout, ended.returncode) == ("ready\ngone\ngone\ngone\n", 0)


def test_without_a_time_nobody_is_looked_at() -> None:
    ended = run(
        STANDS_STILL.replace("timeout_seconds, born = 1,", "timeout_seconds, born = 0,"), TELLS_TO_END_IN_THE_END
    )

    (line,) = map(json.loads, ended.stderr.splitlines())
    assert (line["event"], line["count"]) == ("workers_killed", 1)


class Beating:
    """A worker and its parent's looks, at each of which it has beaten or not."""

    def __init__(self, timeout_seconds: float = 10) -> None:
        self.pulses = Pulses(2)
        self.watch = Watch(self.pulses, timeout_seconds=timeout_seconds)
        self.places = [
            Place(number, cast("Any", None), process=cast("Any", object()), is_ready=True) for number in (0, 1)
        ]

    def look(self, *beating: int) -> list[int]:
        for number in beating:
            self.pulses._counts[number] += 1
        return [place.number for place in self.watch.look(self.places)]


class TestLooks:
    def test_ten_in_a_row_without_a_beat_are_too_many(self) -> None:
        beating = Beating()
        assert [beating.look(0) for _ in range(10)] == [[]] * 10
        assert beating.look(0) == [1]
        # Who is killed is looked at anew, should it not end.
        assert [beating.look(0) for _ in range(10)] == [[]] * 10
        assert beating.look() == [1]

    def test_a_beat_now_and_then_is_enough(self) -> None:
        beating = Beating()
        assert [beating.look(*([0, 1] if number % 10 == 0 else [])) for number in range(100)] == [[]] * 100

    @pytest.mark.parametrize("gone", [{"process": None}, {"is_ready": False}], ids=["empty", "starting"])
    def test_only_who_serves_is_looked_at_and_its_successor_anew(self, gone: dict[str, Any]) -> None:
        beating = Beating()
        for _ in range(9):
            beating.look(0)
        there = {name: getattr(beating.places[1], name) for name in gone}
        for name, value in gone.items():
            setattr(beating.places[1], name, value)
        assert [beating.look(0) for _ in range(20)] == [[]] * 20
        for name, value in there.items():
            setattr(beating.places[1], name, value)
        assert [beating.look(0) for _ in range(10)] == [[]] * 10
        assert beating.look(0) == [1]

    def test_they_are_a_tenth_of_the_time_apart(self) -> None:
        beating = Beating(timeout_seconds=30)
        before = time.monotonic()
        beating.look()
        assert beating.watch.due is not None
        assert 3 <= beating.watch.due - before <= 3 + (time.monotonic() - before)
