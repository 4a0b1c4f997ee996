"""An exception that nobody expected: logged with where it happened, without what it says.

The text of an exception may hold personal data or a credential; its class and place do not.
"""

import traceback
from typing import Any

import structlog

log = structlog.get_logger("gateway")


def report(event: str, error: BaseException, **known: Any) -> None:
    """`known` is what helps to find the cause and is safe to keep: a request id, a provider."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    log.error(event, error=type(error).__name__, places=places, **known)
