"""Strict checks of request fields: each check answers what is wrong, or None."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal, InvalidOperation
from typing import Literal

from gateway.sandbox.exchange import Complaint, JsonObject, Received, Refusal

Check = Callable[[object], str | None]
UnknownFields = Literal["refused", "ignored"]

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


def text(value: object) -> str | None:
    return None if isinstance(value, str) else "must be a string"


def filled_text(value: object) -> str | None:
    return text(value) or (None if str(value).strip() else "must not be blank")


def email(value: object) -> str | None:
    return text(value) or (None if _EMAIL.fullmatch(str(value)) else "must be a valid email address")


def flag(value: object) -> str | None:
    return None if isinstance(value, bool) else "must be a boolean"


def whole_number(value: object) -> str | None:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return None if is_number else "must be an integer"


def numeric(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return "must be a number"
    try:
        return None if Decimal(str(value)).is_finite() else "must be a number"
    except InvalidOperation:
        return "must be a number"


def mapping(value: object) -> str | None:
    return None if isinstance(value, dict) else "must be an object"


def list_of(check: Check) -> Check:
    def check_items(value: object) -> str | None:
        if not isinstance(value, list):
            return "must be an array"
        return next((f"item {i} {wrong}" for i, item in enumerate(value) if (wrong := check(item))), None)

    return check_items


def one_of(*words: str) -> Check:
    def check_word(value: object) -> str | None:
        return None if value in words else f"must be one of {', '.join(words)}"

    return check_word


def read_object(received: Received) -> JsonObject:
    """Raises: Refusal 400 when the body is not a JSON object sent as JSON."""
    if not received.has_json_content_type:
        raise Refusal(400, "Content-Type must be application/json", code="invalid_json")
    try:
        body = json.loads(received.body)
    except ValueError:
        raise Refusal(400, "The request body is not valid JSON", code="invalid_json") from None
    if not isinstance(body, dict):
        raise Refusal(400, "The request body must be a JSON object", code="invalid_json")
    return body


def complaints_about(
    body: Mapping[str, object],
    checks: Mapping[str, Check],
    *,
    required: Collection[str] = (),
    nullable: Collection[str] = (),
    unknown: UnknownFields = "refused",
) -> tuple[Complaint, ...]:
    """Everything wrong with the body: missing, mistyped and undocumented fields."""
    found = [Complaint(name, "is required") for name in required if body.get(name) is None]
    for name, value in body.items():
        if name not in checks:
            if unknown == "refused":
                found.append(Complaint(name, "is not a documented field"))
        elif value is None:
            if name not in nullable and name not in required:
                found.append(Complaint(name, "must not be null"))
        elif wrong := checks[name](value):
            found.append(Complaint(name, wrong))
    return tuple(found)


def unknown_parameters(query: Mapping[str, str], known: Collection[str]) -> tuple[Complaint, ...]:
    return tuple(Complaint(name, "is not a documented parameter") for name in query if name not in known)


def positive_parameter(query: Mapping[str, str], name: str, *, default: int) -> int | None:
    """The parameter as a number from 1, or None when it is something else."""
    text_value = query.get(name)
    if text_value is None:
        return default
    return int(text_value) if re.fullmatch(r"[1-9]\d{0,8}", text_value) else None


def summary(complaints: tuple[Complaint, ...]) -> str:
    return "; ".join(f"{complaint.field} {complaint.message}" for complaint in complaints)
