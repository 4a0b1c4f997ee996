"""Logs: one line per event on standard error, readable in a terminal and JSON elsewhere."""

import logging
import sys

import structlog


def configure_logs() -> None:
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    # httpx writes whole URLs at INFO; a search for an email address would stand there.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
