"""The Cometly API: admission with its required headers, rate headers, and the contact endpoints."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from gateway.sandbox.cometly.listing import invalid, read_flags, read_list_query, select_page
from gateway.sandbox.cometly.profile import LISTS, CometlyProfile, CometlyView
from gateway.sandbox.cometly.rules import check_write
from gateway.sandbox.cometly.switches import CometlySwitches
from gateway.sandbox.credentials import COMETLY_KEY
from gateway.sandbox.exchange import Clock, Complaint, JsonObject, Received, Refusal, Reply, utc_now
from gateway.sandbox.fields import read_object, unknown_parameters
from gateway.sandbox.ratelimit import Spent
from gateway.sandbox.routes import Route
from gateway.sandbox.simulator import Simulator, Sleep

_READ_FLAGS = (
    "include_comet_tokens",
    "include_events",
    "hide_direct_touchpoints",
    "use_custom_field_labels",
    "include_browsing_session_data",
)
_EXTRAS = {
    "include_comet_tokens": "comet_tokens",
    "include_events": "events",
    "include_browsing_session_data": "browsing_session_hits",
}
_FIRST_ID = 48_001
# What the headers tell while limits are not enforced: enough not to slow down a client that listens.
_UNLIMITED = Spent(6000, 6000)


@dataclass(slots=True)
class CometlySpace:
    """Profiles by id, oldest first; `merged` leads from a merged-away id to the surviving one."""

    profiles: dict[int, CometlyProfile] = field(default_factory=dict)
    merged: dict[int, int] = field(default_factory=dict)

    def new_id(self) -> int:
        return max((*self.profiles, *self.merged, _FIRST_ID - 1)) + 1


class CometlySimulator(Simulator):
    """One Cometly Space; `switches` may be exchanged while it runs, `reset` restores them."""

    provider: ClassVar[str] = "cometly"
    base_path: ClassVar[str] = "/public-api/v1"
    has_search: ClassVar[bool] = False

    def __init__(
        self,
        switches: CometlySwitches | None = None,
        *,
        stock: Callable[[], CometlySpace] = CometlySpace,
        clock: Clock = utc_now,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._first_switches = switches or CometlySwitches()
        self._stock = stock
        self._spent = _UNLIMITED
        self.switches = self._first_switches
        self.space = stock()
        super().__init__(clock=clock, sleep=sleep)

    @property
    def contacts(self) -> dict[int, CometlyProfile]:
        return self.space.profiles

    @property
    def view(self) -> CometlyView:
        return CometlyView(self.switches)

    def make_routes(self) -> tuple[Route, ...]:
        return (
            Route("POST", "/contacts", "create", self._create),
            Route("GET", "/contacts", "list", self._list),
            Route("GET", "/contacts/{id}", "read", self._read),
            Route("PUT", "/contacts/{id}", "update", self._update),
        )

    def admit(self, received: Received, operation: str) -> None:
        if received.bearer != COMETLY_KEY:
            raise Refusal(401, "Unauthenticated.")
        if self.switches.subscription == "inactive":
            raise Refusal(403, "Forbidden")
        if self.switches.rate_limit:
            limits = {"create": 60, "read": self.switches.reads_a_minute, "list": 15, "update": 60}
            self._spent = self.budgets.spend(operation, limit=limits[operation])
            if self._spent.retry_after_seconds is not None:
                retry_after = ("Retry-After", str(self._spent.retry_after_seconds))
                raise Refusal(429, "Too Many Attempts.", headers=(retry_after,))

    def answer(self, received: Received) -> Reply:
        accept = received.headers.get("accept", "")
        if "application/json" in accept.lower() and received.has_json_content_type:
            return super().answer(received)
        match self.switches.missing_headers:
            case "html":
                return Reply.html(200, "Sign in to Cometly")
            case "redirect":
                return Reply(302, headers=(("Location", "/login"),))
            case "refused":
                return self.refuse(Refusal(400, "Accept and Content-Type must be application/json"))

    def refuse(self, refusal: Refusal) -> Reply:
        if refusal.status >= 500 and self.switches.server_error_body == "html":
            return Reply.html(refusal.status, "Server Error")
        body: JsonObject = {"message": refusal.message}
        if refusal.status == 422 and self.switches.errors_in_422:
            body["errors"] = {one.field: [f"The {one.field} {one.message}."] for one in refusal.complaints}
        return Reply.json(refusal.status, body)

    def finish(self, reply: Reply, operation: str | None) -> Reply:
        spent, self._spent = self._spent, _UNLIMITED
        limit, remaining = str(spent.limit), str(spent.remaining)
        return reply.with_headers(("X-RateLimit-Limit", limit), ("X-RateLimit-Remaining", remaining))

    def restock(self) -> None:
        self.switches = self._first_switches
        self.space = self._stock()

    def describe_contacts(self) -> list[JsonObject]:
        return [self.view.details(profile) for profile in self.contacts.values()]

    def _profile(self, text: str, *, follow: bool) -> CometlyProfile:
        if not re.fullmatch(r"\d{1,18}", text):
            raise invalid(Complaint("id", "must be an integer"))
        wanted = int(text)
        if follow:
            wanted = self.space.merged.get(wanted, wanted)
        if profile := self.contacts.get(wanted):
            return profile
        raise Refusal(404, "Contact not found")

    def _create(self, received: Received, _: str) -> Reply:
        sent = check_write(read_object(received), self.switches, creating=True)
        profile = self._profile_to_create(sent)
        self.contacts[profile.id] = profile
        return Reply.json(201, self.view.written(profile.id, sent))

    def _profile_to_create(self, sent: JsonObject) -> CometlyProfile:
        twin = self._twin(sent["emails"])
        if twin and self.switches.duplicate_email == "refused":
            raise invalid(Complaint("emails", "has already been taken"))
        if twin and self.switches.duplicate_email == "merged":
            for name in LISTS:
                twin.values(name).add(sent.get(name) or [])
            twin.custom_fields |= sent.get("custom_fields") or {}
            return twin
        profile = CometlyProfile(self.space.new_id(), self.clock())
        self._write(profile, sent)
        return profile

    def _twin(self, emails: list[str]) -> CometlyProfile | None:
        wanted = {email.casefold() for email in emails}
        every = self.contacts.values()
        return next((one for one in every if wanted & {held.casefold() for held in one.emails.oldest_first}), None)

    def _write(self, profile: CometlyProfile, sent: JsonObject) -> None:
        for name in LISTS:
            if name in sent:
                profile.values(name).replace(sent[name], self.switches)
        if "custom_fields" in sent:
            profile.custom_fields = dict(sent["custom_fields"])

    def _read(self, received: Received, text: str) -> Reply:
        if self.switches.unknown_fields == "refused" and (odd := unknown_parameters(received.query, _READ_FLAGS)):
            raise invalid(*odd)
        flags = read_flags(received, _READ_FLAGS)
        profile = self._profile(text, follow=self.switches.read_of_merged_id == "followed")
        shown = self.view.details(profile, labels="use_custom_field_labels" in flags)
        return Reply.json(200, shown | {key: [] for flag, key in _EXTRAS.items() if flag in flags})

    def _update(self, received: Received, text: str) -> Reply:
        profile = self._profile(text, follow=True)
        sent = check_write(read_object(received), self.switches, creating=False)
        self._write(profile, sent)
        return Reply.json(self.switches.update_status, self.view.written(profile.id, sent))

    def _list(self, received: Received, _: str) -> Reply:
        query = read_list_query(received, self.switches)
        page = select_page(list(self.contacts.values()), query, self.switches)
        path = f"http://{received.headers.get('host', 'app.cometly.test')}{self.base_path}/contacts"
        body = {
            "data": [self.view.item(profile, set(query.flags)) for profile in page.profiles],
            "path": path,
            "per_page": query.per_page,
            "next_cursor": page.next_cursor,
            "next_page_url": page.next_cursor and f"{path}?cursor={page.next_cursor}",
            "prev_cursor": page.prev_cursor,
            "prev_page_url": page.prev_cursor and f"{path}?cursor={page.prev_cursor}",
        }
        return Reply.json(200, body)
