"""One request as a simulator sees it, and the reply it gives."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

JsonObject = dict[str, Any]
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Received:
    """A request read to its end; header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def bearer(self) -> str | None:
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() or None if scheme.lower() == "bearer" else None

    @property
    def has_json_content_type(self) -> bool:
        media_type = self.headers.get("content-type", "").partition(";")[0]
        return media_type.strip().lower() == "application/json"


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes = b""
    media_type: str | None = None
    headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def json(cls, status: int, value: object) -> Reply:
        return cls(status, json.dumps(value, ensure_ascii=False).encode(), "application/json")

    @classmethod
    def html(cls, status: int, title: str) -> Reply:
        page = f"<!DOCTYPE html><html><head><title>{title}</title></head><body>{title}</body></html>"
        return cls(status, page.encode(), "text/html; charset=utf-8")

    @property
    def succeeded(self) -> bool:
        return 200 <= self.status < 300

    def with_headers(self, *headers: tuple[str, str]) -> Reply:
        return replace(self, headers=(*self.headers, *headers))

    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """Header fields as ASGI wants them, the length always matching the body."""
        fields = list(self.headers)
        if self.media_type:
            fields.append(("content-type", self.media_type))
        if self.status != 204:
            fields.append(("content-length", str(len(self.body))))
        return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in fields]


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with one field of a request."""

    field: str
    message: str


class Refusal(Exception):
    """A simulator will not do what it was asked; its provider's form of error says why."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        complaints: tuple[Complaint, ...] = (),
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.complaints = complaints
        self.headers = headers
