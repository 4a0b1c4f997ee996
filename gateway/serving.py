"""`gateway serve`: in this process, or in several that share the address, the store and Redis."""

import asyncio
import multiprocessing
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from multiprocessing.connection import Connection

from gateway.clock import Clocks
from gateway.connectors.registry import REGISTRY
from gateway.contacts.changes import Changes, shared_changes
from gateway.http.server import Told, by_signals, run, serve_app, spare_the_collector
from gateway.main import build_app, build_connectors, telemetry_of
from gateway.settings import GatewaySettings, WrongSettings, api_key, read_provider_settings
from gateway.shared_code import load_what_is_on
from gateway.store.database import is_of_one_process
from gateway.telemetry.processes import forget_process, shared_metrics
from gateway.worker_places import HURRY, Post
from gateway.worker_pulse import Pulses, Watch
from gateway.workers import Workers

SayWhere = Callable[[], None]


def provider_names(settings: GatewaySettings) -> list[str]:
    """Of those that are configured.

    Raises:
        WrongSettings: naming the variable.
    """
    return [
        entry.capabilities.display_name
        for entry in REGISTRY
        if api_key(read_provider_settings(entry, settings.mode)) is not None
    ]


def serve_alone(settings: GatewaySettings, listener: socket.socket, say_where: SayWhere) -> None:
    """Until SIGINT or SIGTERM.

    Raises:
        WrongSettings: for what is known only when the database is opened.
    """
    _serve(settings, listener, say_where)


def serve_in_workers(
    settings: GatewaySettings, listeners: Sequence[socket.socket], say_where: SayWhere, say_wrong: Callable[[str], None]
) -> int:
    """One process for each listener, until SIGINT or SIGTERM; the exit code. `say_wrong` is called in a worker.

    Raises:
        WrongSettings: for what several of them cannot share.
    """
    if problem := _problem_of_several(settings):
        raise WrongSettings(problem)
    changes, pulses = shared_changes(len(listeners), Clocks().monotonic), Pulses(len(listeners))
    with ExitStack() as stack:
        folder = stack.enter_context(shared_metrics()) if settings.metrics == "on" else None
        load_what_is_on(settings)
        spare_the_collector()

        @contextmanager
        def told(post: Post, end: Callable[[], None]) -> Iterator[None]:
            with pulses.of(post.number), _by_orders(post.orders, end):
                yield

        def work(post: Post) -> None:
            try:
                _serve(settings, post.listener, post.ready, partial(told, post), changes[post.number])
            except WrongSettings as wrong:
                say_wrong(str(wrong))
                raise SystemExit(1) from None

        def gone(pid: int) -> None:
            if folder is not None:
                forget_process(folder, pid)

        watch = Watch(pulses, timeout_seconds=settings.worker_timeout_seconds)
        workers = Workers(
            listeners, work, say_ready=say_where, gone=gone, watch=watch, shutdown_seconds=settings.shutdown_seconds
        )
        return workers.run()


def _serve(
    settings: GatewaySettings,
    listener: socket.socket,
    say_where: SayWhere,
    told: Told = by_signals,
    changes: Changes | None = None,
) -> None:
    telemetry = telemetry_of(settings)
    connectors = build_connectors(settings, telemetry, changes=changes)
    application = build_app(settings, connectors, telemetry, changes=changes)
    run(serve_app(application, settings, listener, say_where, told))


def _problem_of_several(settings: GatewaySettings) -> str | None:
    if "fork" not in multiprocessing.get_all_start_methods():
        return "GATEWAY_WORKERS: this system cannot fork processes. Give 1, and start several gateways side by side."
    if settings.rate_budgets == "on" and settings.redis_url is None:
        return (
            "GATEWAY_WORKERS: several workers count their calls together in Redis, or they would exceed the providers'"
            " rate limits. Give GATEWAY_REDIS_URL, or 1 worker."
        )
    if is_of_one_process(settings.database_url):
        return "GATEWAY_WORKERS: a database in memory cannot be shared. Give a file or PostgreSQL, or 1 worker."
    return None


@contextmanager
def _by_orders(orders: Connection, end: Callable[[], None]) -> Iterator[None]:
    """What the parent says, or that it is gone; SIGTERM to one worker alone ends it once, and another takes its place.

    A service manager may send SIGTERM to every process while the parent passes on its own: that is not told twice.
    """
    loop, told = asyncio.get_running_loop(), False

    def once() -> None:
        nonlocal told
        if not told:
            told = True
            end()

    def hear() -> None:
        try:
            order = orders.recv_bytes()
        except (EOFError, OSError):
            loop.remove_reader(orders.fileno())
            once()
            return
        once()
        if order == HURRY:
            end()

    loop.add_reader(orders.fileno(), hear)
    loop.add_signal_handler(signal.SIGTERM, once)
    try:
        yield
    finally:
        loop.remove_reader(orders.fileno())
        loop.remove_signal_handler(signal.SIGTERM)
