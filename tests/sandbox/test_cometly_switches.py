"""Each open point of the Cometly notes, turned round."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from gateway.sandbox.cometly.switches import CometlySwitches
from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.seed.landmarks import EVERYWHERE_EMAIL
from tests.sandbox.fake_time import FakeTime
from tests.sandbox.flips import Flip, names, untried

ADA = "/contacts/48001"
MERGED = "/contacts/48094"
EMAILS = ["a@aalto.test", "b@aalto.test"]
ALWAYS = {"start_date": "2020-01-01 00:00:00", "end_date": "2032-01-01 00:00:00"}
# The second of the fixed clock, in the Space's zone.
NOW = "2031-03-04 00:06:07"


def create(client: httpx.Client, **fields: object) -> httpx.Response:
    return client.post("/contacts", json={"emails": EMAILS, **fields})


def created_status(**fields: object) -> Any:
    return lambda client: create(client, **fields).status_code


def read_after_create(field: str, **fields: object) -> Any:
    def look(client: httpx.Client) -> object:
        made = create(client, **fields)
        return made.json().get("message") or client.get(f"/contacts/{made.json()['id']}").json().get(field, "absent")

    return look


def without_accept(client: httpx.Client) -> object:
    client.headers["Accept"] = "*/*"
    answer = client.get(ADA)
    client.headers["Accept"] = "application/json"
    return answer.status_code


def status_of(path: str) -> Any:
    return lambda client: client.get(path).status_code


def id_of_twin(client: httpx.Client) -> object:
    return create(client, emails=[EVERYWHERE_EMAIL]).json().get("id", "refused")


def update_status(client: httpx.Client) -> object:
    return client.put(ADA, json={"names": ["Ada"]}).status_code


def null_names(client: httpx.Client) -> object:
    status = client.put(ADA, json={"names": None, "phones": []}).status_code
    return status, client.get(ADA).json()["names"]


def reads_left(client: httpx.Client) -> object:
    return client.get(ADA).headers["x-ratelimit-remaining"]


def newest_item_key(key: str, **flags: str) -> Any:
    """The key of the newest list item after a create with two emails and a tier."""

    def look(client: httpx.Client) -> object:
        create(client, custom_fields={"profile_field_1": "Gold"})
        return client.get("/contacts", params=ALWAYS | flags).json()["data"][0].get(key, "absent")

    return look


def window(start: str, end: str) -> Any:
    def look(client: httpx.Client) -> object:
        create(client)
        answer = client.get("/contacts", params={"start_date": start, "end_date": end}).json()
        return len(answer.get("data", "refused"))

    return look


def errors_of_422(client: httpx.Client) -> object:
    return client.post("/contacts", json={"emails": ["ines"]}).json().get("errors")


SIXTEENTH = {"custom_fields": {"profile_field_16": "12"}}
RENEWAL = {"custom_fields": {"profile_field_26": "2031-05-06"}}
OBJECTS = [{"value": "b@aalto.test"}, {"value": "a@aalto.test"}]
MARKED = [{"value": "b@aalto.test", "is_primary": False}, {"value": "a@aalto.test", "is_primary": True}]
ALL_SLOTS = {f"profile_field_{number}": None for number in range(1, 31)}

FLIPS = [
    Flip("unknown_fields", "ignored", created_status(tags=["x"]), 422, 201),
    Flip("missing_headers", "redirect", without_accept, 200, 302),
    Flip("missing_headers", "refused", without_accept, 200, 400),
    Flip("subscription", "inactive", status_of(ADA), 200, 403),
    Flip("value_items", "objects", read_after_create("emails"), EMAILS[::-1], OBJECTS),
    Flip("primary_on_read", "marked", read_after_create("emails"), OBJECTS, MARKED, given={"value_items": "objects"}),
    Flip("duplicate_email", "merged", id_of_twin, 48095, 48001),
    Flip("duplicate_email", "refused", id_of_twin, 48095, "refused"),
    Flip("order_after_write", "as_sent", read_after_create("emails"), EMAILS[::-1], EMAILS),
    Flip("repeated_values", "kept", read_after_create("phones", phones=["1", "1"]), ["1"], ["1", "1"]),
    Flip("email_storage", "lower_case", read_after_create("emails", emails=["A@b.test"]), ["A@b.test"], ["a@b.test"]),
    Flip("read_of_merged_id", "not_found", status_of(MERGED), 200, 404),
    Flip("update_status", 202, update_status, 200, 202),
    Flip("reads_a_minute", 30, reads_left, "14", "29", given={"rate_limit": True}),
    Flip("all_emails_key", "all_emails", newest_item_key("emails", include_all_emails="1"), EMAILS[::-1], "absent"),
    Flip(
        "listed_custom_fields",
        "on_item",
        newest_item_key("profile_field_1", include_custom_fields="1"),
        "absent",
        "Gold",
    ),
    Flip("custom_fields_on_read", "all_slots", read_after_create("custom_fields"), {}, ALL_SLOTS),
    Flip("custom_fields_on_read", "absent", read_after_create("custom_fields"), {}, "absent"),
    Flip(
        "number_slots",
        "string",
        read_after_create("custom_fields", **SIXTEENTH),
        {"profile_field_16": 12},
        {"profile_field_16": "12"},
    ),
    Flip(
        "date_slots",
        "timestamp",
        read_after_create("custom_fields", **RENEWAL),
        {"profile_field_26": "2031-05-06"},
        {"profile_field_26": "2031-05-06T00:00:00.000000Z"},
    ),
    Flip("window_ends", "exclusive", window("2031-03-03 00:00:00", NOW), 1, 0),
    Flip("longest_window_days", 1, window("2031-03-01 00:00:00", "2031-03-05 00:00:00"), 1, len("refused")),
    Flip("timezone", "UTC", window("2031-03-04 00:06:00", "2031-03-04 00:07:00"), 1, 0),
    Flip(
        "errors_in_422",
        True,
        errors_of_422,
        None,
        {"emails": ["The emails item 0 must be a valid email address."]},
    ),
    Flip("null_list", "empties", null_names, (422, ["Ada Winter"]), (200, [])),
    Flip("null_list", "ignored", null_names, (422, ["Ada Winter"]), (200, ["Ada Winter"])),
    Flip("rate_limit", True, reads_left, "6000", "14"),
]


@pytest.mark.parametrize("flip", FLIPS, ids=names(FLIPS))
def test_turning_the_switch_changes_what_is_seen(
    flip: Flip, sandbox: Sandbox, cometly: httpx.Client, time: FakeTime
) -> None:
    sandbox.cometly.switches = CometlySwitches(**flip.given)
    assert flip.look(cometly) == flip.seen
    sandbox.cometly.reset()
    sandbox.cometly.switches = CometlySwitches(**flip.given, **{flip.switch: flip.value})
    assert flip.look(cometly) == flip.seen_flipped


def test_a_server_error_may_be_html(sandbox: Sandbox, cometly: httpx.Client) -> None:
    sandbox.cometly.faults.add(Fault(kind="status", status=502))
    assert cometly.get(ADA).headers["content-type"] == "application/json"
    sandbox.cometly.switches = CometlySwitches(server_error_body="html")
    assert cometly.get(ADA).headers["content-type"].startswith("text/html")


def test_every_value_of_every_switch_is_tried() -> None:
    assert untried(CometlySwitches, FLIPS) == {"server_error_body=html"}
