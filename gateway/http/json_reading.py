"""Strict JSON: what a caller sent means one thing only, and is refused where it could mean another.

jiter refuses what RFC 8259 does not allow, members that stand twice, lone surrogates and bytes that are not UTF-8.
"""

import math
from typing import Any

import jiter

from gateway.http.refusal import RequestRefused, over_limit


def read_json(text: bytes, what: str, *, max_depth: int) -> Any:
    """`what` begins the message of a refusal: "The body".

    Raises:
        RequestRefused: with 400.
    """
    try:
        value = jiter.from_json(text, allow_inf_nan=False, catch_duplicate_keys=True)
    except ValueError as error:
        if "recursion limit" in str(error):
            raise _too_deep(what, max_depth, max_depth + 1) from None
        # What jiter says names a place and, for a member that stands twice, its name: both are the caller's own.
        raise RequestRefused(400, "BAD_REQUEST", f"{what} cannot be read as JSON in UTF-8: {error}.") from None
    _check(value, what, max_depth)
    return value


def _check(value: Any, what: str, max_depth: int) -> None:
    """Depth, and numbers too large for a double, which jiter reads as infinite."""
    level, depth = [value], 0
    while level:
        nested = []
        for one in level:
            # jiter makes exactly these.
            kind = type(one)
            if kind is dict or kind is list:
                nested.append(one)
            elif kind is float and not math.isfinite(one):
                raise RequestRefused(400, "BAD_REQUEST", f"{what} holds a number that is too large.")
        depth += bool(nested)
        if depth > max_depth:
            raise _too_deep(what, max_depth, depth)
        level = [item for one in nested for item in (one.values() if type(one) is dict else one)]


def _too_deep(what: str, allowed: int, measured: int) -> RequestRefused:
    message = f"{what} nests JSON more than {allowed} levels deep."
    return over_limit("maxJsonDepth", allowed=allowed, measured=measured, message=message)
