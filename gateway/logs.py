"""Logs: one line per event on standard error, readable in a terminal and JSON elsewhere.

Libraries log through the same renderer, warnings and worse alone, and without the values that they put into their
texts: below that they write whole URLs, headers and statements, and in it what a contact is called.
"""

import logging
import sys
import traceback
from typing import Any, Literal

import structlog
from structlog.typing import Processor

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure_logs(
    log_format: Literal["auto", "json", "console"] = "auto",
    level: Literal["debug", "info", "warning", "error"] = "info",
) -> None:
    """Of what comes before the settings are read, and of everything after."""
    console = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    renderer: Processor = structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer()
    stamped: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        renderer,
    ]
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *stamped],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Foreign(stamped))
    logging.basicConfig(level=max(logging.WARNING, _LEVELS[level]), handlers=[handler], force=True)
    logging.captureWarnings(True)


class _Foreign(logging.Formatter):
    """A line of a library: where it is from and the words that are always the same. An exception is told by its class
    and place, as gateway.incident does it."""

    def __init__(self, processors: list[Processor]) -> None:
        super().__init__()
        self._processors = processors

    def format(self, record: logging.LogRecord) -> str:
        line: Any = {
            **structlog.contextvars.get_contextvars(),
            "event": "library",
            "logger": record.name,
            "place": f"{record.module}:{record.lineno} {record.funcName}",
        }
        # With values of its own the message is a template; without, somebody may have put them in already.
        if record.args and isinstance(record.msg, str):
            line["message"] = record.msg
        if record.exc_info and record.exc_info[0]:
            frames = traceback.extract_tb(record.exc_info[2])
            line["error"] = record.exc_info[0].__name__
            line["places"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        for process in self._processors:
            line = process(None, record.levelname.lower(), line)
        return str(line)
