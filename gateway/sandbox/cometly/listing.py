"""The Cometly list call: a required window of creation time and cursor pages, newest first."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from gateway.sandbox.cometly.profile import CometlyProfile
from gateway.sandbox.cometly.switches import CometlySwitches
from gateway.sandbox.exchange import Complaint, Received, Refusal
from gateway.sandbox.fields import summary, unknown_parameters

FLAGS = ("include_comet_tokens", "include_all_emails", "include_custom_fields", "use_custom_field_labels")
_PARAMETERS = ("start_date", "end_date", "per_page", "cursor", *FLAGS)
_TIME = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}")
_LONGEST_PAGE = 5000


@dataclass(frozen=True, slots=True)
class Cursor:
    """Points between two profiles: `next` goes on to older ids below, `prev` back to newer ones above."""

    profile_id: int
    direction: Literal["next", "prev"]

    def to_text(self) -> str:
        content = json.dumps({"id": self.profile_id, "to": self.direction})
        return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> Cursor | None:
        try:
            content = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            return cls(int(content["id"]), content["to"]) if content["to"] in ("next", "prev") else None
        except (ValueError, binascii.Error, KeyError, TypeError):
            return None


@dataclass(frozen=True, slots=True)
class ListQuery:
    start: datetime
    end: datetime
    per_page: int
    cursor: Cursor | None
    flags: frozenset[str]


@dataclass(frozen=True, slots=True)
class Page:
    profiles: tuple[CometlyProfile, ...]
    next_cursor: str | None
    prev_cursor: str | None


def read_list_query(received: Received, switches: CometlySwitches) -> ListQuery:
    """Raises: Refusal 422 when a required parameter is missing or any is wrong."""
    query = received.query
    found = list(unknown_parameters(query, _PARAMETERS)) if switches.unknown_fields == "refused" else []
    start, end = (_read_time(query.get(name), switches) for name in ("start_date", "end_date"))
    found += [
        Complaint(name, "is required as YYYY-MM-DD HH:MM:SS")
        for name, moment in (("start_date", start), ("end_date", end))
        if moment is None
    ]
    if start and end and end <= start:
        found.append(Complaint("end_date", "must be after start_date"))
    longest = switches.longest_window_days
    if start and end and longest is not None and end - start > timedelta(days=longest):
        found.append(Complaint("end_date", f"must be within {longest} days of start_date"))
    per_page = query.get("per_page", "200")
    if not re.fullmatch(r"\d{1,4}", per_page) or not 1 <= int(per_page) <= _LONGEST_PAGE:
        found.append(Complaint("per_page", "must be from 1 to 5000"))
    cursor = Cursor.read(query["cursor"]) if "cursor" in query else None
    if "cursor" in query and cursor is None:
        found.append(Complaint("cursor", "is not a cursor of this list"))
    if found or start is None or end is None:
        raise invalid(*found)
    return ListQuery(start, end, int(per_page), cursor, read_flags(received, FLAGS))


def read_flags(received: Received, names: Sequence[str]) -> frozenset[str]:
    """The names of the flags that are 1. Raises: Refusal 422 for anything but 1 and 0."""
    odd = tuple(Complaint(name, "must be 1 or 0") for name in names if received.query.get(name, "0") not in ("0", "1"))
    if odd:
        raise invalid(*odd)
    return frozenset(name for name in names if received.query.get(name) == "1")


def invalid(*complaints: Complaint) -> Refusal:
    return Refusal(422, summary(complaints), complaints=complaints)


def select_page(profiles: Sequence[CometlyProfile], query: ListQuery, switches: CometlySwitches) -> Page:
    """The page at the cursor among the profiles created within the window."""
    found = sorted((one for one in profiles if _is_within(one, query, switches)), key=lambda one: -one.id)
    cursor = query.cursor
    if cursor is None:
        first = 0
    elif cursor.direction == "next":
        first = sum(1 for one in found if one.id >= cursor.profile_id)
    else:
        first = max(0, sum(1 for one in found if one.id > cursor.profile_id) - query.per_page)
    shown = tuple(found[first : first + query.per_page])
    has_more = first + query.per_page < len(found)
    next_cursor = Cursor(shown[-1].id, "next").to_text() if shown and has_more else None
    prev_cursor = Cursor(shown[0].id, "prev").to_text() if shown and first > 0 else None
    return Page(shown, next_cursor, prev_cursor)


def _is_within(profile: CometlyProfile, query: ListQuery, switches: CometlySwitches) -> bool:
    # The window has whole seconds, so a creation inside a second belongs to that second.
    created_at = profile.created_at.replace(microsecond=0)
    if switches.window_ends == "exclusive":
        return query.start < created_at < query.end
    return query.start <= created_at <= query.end


def _read_time(text: str | None, switches: CometlySwitches) -> datetime | None:
    if text is None or not _TIME.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(switches.timezone))
    except ValueError:
        return None
