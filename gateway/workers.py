"""Several processes that serve one address: they are started, replaced when they die, and ended together.

The parent does nothing else. It forks them after everything is imported, so that they share that memory and start
quickly; it never runs an event loop or a thread, of which a fork would leave halves behind.
"""

import signal
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait

import structlog

from gateway.signal_bytes import signals_as_bytes
from gateway.worker_places import END, HEALTHY_SECONDS, HURRY, Place, Post, Work
from gateway.worker_pulse import Watch

# A worker breaks off by itself what outlasts the shutdown time. One that does not even do that is stuck.
_GRACE_SECONDS = 10.0

log = structlog.get_logger("gateway")


class Workers:
    """`gone` is told the process id of each one that has ended. `watch` says who is stuck."""

    def __init__(
        self,
        listeners: Sequence[socket.socket],
        work: Work,
        *,
        say_ready: Callable[[], None],
        gone: Callable[[int], None],
        watch: Watch,
        shutdown_seconds: float,
    ) -> None:
        self._places = [Place(number, listener) for number, listener in enumerate(listeners)]
        self._work = work
        self._say_ready = say_ready
        self._gone = gone
        self._watch = watch
        self._shutdown_seconds = shutdown_seconds
        self._said = False
        self._signals = 0
        self._kill_at: float | None = None
        self._exit_code = 0

    def run(self) -> int:
        """Until they have ended after SIGINT or SIGTERM, or one could not start; the exit code.

        The first one starts alone: it makes the database, and says what is wrong with the settings once.
        """
        with signals_as_bytes() as signals:
            self._start(self._places[0])
            while self._step(signals):
                pass
        return self._exit_code

    @property
    def _is_ending(self) -> bool:
        return self._kill_at is not None

    def _step(self, signals: socket.socket) -> bool:
        """Waits for the next thing to happen and does what it asks for; False when nobody is left."""
        sentinels = {place.process.sentinel: place for place in self._places if place.process is not None}
        pipes = {place.ready: place for place in self._places if place.ready is not None}
        if not sentinels and not any(place.due for place in self._places):
            return False
        for source in wait([signals, *sentinels, *pipes], timeout=self._seconds_left()):
            if source is signals:
                self._hear(signals)
            elif source in pipes:
                self._take_ready(pipes[source])
            elif source in sentinels:
                self._bury(sentinels[source])
        self._do_what_is_due()
        return True

    def _seconds_left(self) -> float | None:
        moments = [place.due for place in self._places if place.due is not None]
        if self._kill_at is not None:
            moments.append(self._kill_at)
        elif self._watch.due is not None:
            moments.append(self._watch.due)
        return max(0.0, min(moments) - time.monotonic()) if moments else None

    def _do_what_is_due(self) -> None:
        now = time.monotonic()
        if self._kill_at is not None and now >= self._kill_at:
            log.error("workers_killed", count=sum(place.process is not None for place in self._places))
            self._kill()
        if self._watch.due is not None and now >= self._watch.due and not self._is_ending:
            self._kill_stuck()
        for place in self._places:
            if place.due is not None and now >= place.due:
                self._start_again(place)

    def _kill_stuck(self) -> None:
        """Nothing else ends one that does not listen. What it was writing is taken up by another one."""
        for place in self._watch.look(self._places):
            assert place.process is not None
            seconds = self._watch.timeout_seconds
            log.error("worker_stuck", worker=place.number, pid=place.process.pid, silent_seconds=seconds)
            place.process.kill()

    def _hear(self, signals: socket.socket) -> None:
        for _ in signals.recv(16):
            self._signals += 1
            if self._signals == 1:
                self._end()
            elif self._signals == 2:
                self._tell(HURRY)
            else:
                self._exit_code = 1
                self._kill()

    def _take_ready(self, place: Place) -> None:
        if place.ready is None:
            # It was buried in the same round.
            return
        # One that has ended says nothing; its sentinel tells.
        with suppress(EOFError):
            place.is_ready = bool(place.ready.recv_bytes())
        place.ready.close()
        place.ready = None
        if self._said or self._is_ending:
            return
        if all(one.is_ready for one in self._places):
            self._said = True
            self._say_ready()
        elif place.number == 0 and place.is_ready:
            for other in self._places[1:]:
                self._start(other)

    def _bury(self, place: Place) -> None:
        process = place.process
        assert process is not None
        process.join()
        code, pid = process.exitcode, process.pid
        assert pid is not None
        process.close()
        place.clear()
        self._gone(pid)
        if self._is_ending:
            self._exit_code = self._exit_code or (1 if code else 0)
        elif not self._said:
            # It has said why. Whoever starts the gateway wants to know, not to wait.
            self._exit_code = 1
            self._end()
        else:
            self._replace(place, pid, code)

    def _replace(self, place: Place, pid: int, code: int | None) -> None:
        """At once after one that was told to end or had served for a while."""
        lived = time.monotonic() - place.began
        place.failures = place.failures + 1 if code and lived < HEALTHY_SECONDS else 0
        pause = place.postpone()
        say = log.error if code else log.info
        say("worker_ended", worker=place.number, pid=pid, exit_code=code, seconds=int(lived), again_in_seconds=pause)

    def _end(self) -> None:
        self._kill_at = time.monotonic() + self._shutdown_seconds + _GRACE_SECONDS
        for place in self._places:
            place.due = None
            # As long as anybody holds it the system accepts connections for it, which nobody would ever answer.
            place.listener.close()
        self._tell(END)

    def _tell(self, order: bytes) -> None:
        for place in self._places:
            if place.orders is not None:
                # It may just have ended.
                with suppress(BrokenPipeError):
                    place.orders.send_bytes(order)

    def _kill(self) -> None:
        self._kill_at = time.monotonic() + _GRACE_SECONDS
        for place in self._places:
            if place.process is not None:
                place.process.kill()

    def _start(self, place: Place) -> None:
        place.due, place.began, place.is_ready = None, time.monotonic(), False
        context = get_context("fork")
        orders, place.orders = context.Pipe(duplex=False)
        place.ready, ready = context.Pipe(duplex=False)
        with orders, ready:
            process = context.Process(target=self._child, args=(place, orders, ready))
            process.start()
        place.process = process

    def _start_again(self, place: Place) -> None:
        """A system that has no memory or no file left for it may have some later; the others serve meanwhile."""
        try:
            self._start(place)
        except OSError as error:
            place.clear()
            place.failures += 1
            log.error(
                "worker_not_started", worker=place.number, error=error.strerror, again_in_seconds=place.postpone()
            )

    def _child(self, place: Place, orders: Connection, ready: Connection) -> None:
        """In the worker: what is the parent's is let go of, or nobody would notice that the parent is gone."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        # Ctrl+C reaches every process of the terminal. The parent hears it, and tells.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for one in self._places:
            one.clear()
            if one.listener is not place.listener:
                one.listener.close()
        self._work(Post(place.number, place.listener, orders, lambda: _say_ready(ready)))


def _say_ready(ready: Connection) -> None:
    # Without a parent there is nobody to tell, and the orders are at their end.
    with ready, suppress(BrokenPipeError):
        ready.send_bytes(b"1")
