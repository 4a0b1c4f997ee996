"""Workers that die at once, are stuck or will not end: their parent neither hurries nor waits without end."""

from __future__ import annotations

import json
import subprocess
import sys
from textwrap import indent

PARENT = """
import os, signal, socket, sys, time
from gateway import worker_places, workers
from gateway.logs import configure_logs

configure_logs("json")
worker_places.FIRST_PAUSE_SECONDS, workers._GRACE_SECONDS = 0.05, 0.3

{work}

def say_ready():
    print("ready", flush=True)
    {then}

listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
gone = lambda pid: print("gone", flush=True)
parent = workers.Workers(listeners, work, say_ready=say_ready, gone=gone, shutdown_seconds=0)
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
TELLS_TO_END = "os.kill(os.getpid(), signal.SIGTERM)"
TELLS_TO_END_THRICE = f"{TELLS_TO_END}; {TELLS_TO_END}; {TELLS_TO_END}"
TELLS_TO_END_LATER = "signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGTERM)); signal.alarm(1)"


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
