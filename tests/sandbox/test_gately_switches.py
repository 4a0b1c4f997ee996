"""Each open point of the Gately notes, turned round."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from gateway.sandbox.gately.switches import GatelySwitches
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.seed.landmarks import EVERYWHERE_EMAIL, EVERYWHERE_GATELY_ID
from tests.sandbox.fake_time import FakeTime
from tests.sandbox.flips import Flip, names, untried

ADA = f"/contacts/{EVERYWHERE_GATELY_ID}"


def create(client: httpx.Client, **fields: object) -> httpx.Response:
    return client.post("/contacts", json={"name": "Ines Aalto", "email": "ines@aalto.test", **fields})


def created_status(**fields: object) -> Any:
    return lambda client: create(client, **fields).status_code


def after_update(field: str, value: object) -> Any:
    """The status of the update and the field as read back."""

    def look(client: httpx.Client) -> object:
        status = client.patch(ADA, json={field: value}).status_code
        return status, client.get(ADA).json().get(field)

    return look


def without_project(client: httpx.Client) -> object:
    client.headers.pop("X-Project-ID", None)
    return client.get(ADA).status_code


def error_body(client: httpx.Client) -> object:
    return client.get("/contacts/00000000-0000-4000-8000-000000000000").text


def tags_of_create(client: httpx.Client) -> object:
    return [tag["name"] for tag in create(client, tags=["Beta"]).json().get("tags", [])]


def keys_of_update(client: httpx.Client) -> object:
    return "company" in client.patch(ADA, json={"company": "Other"}).json()


def phone_of_a_bare_contact(client: httpx.Client) -> object:
    return client.get(f"/contacts/{create(client).json()['id']}").json().get("phone", "left out")


def external_id_of_ada(client: httpx.Client) -> object:
    return client.get(ADA).json().get("external_id")


def phone_of_a_list_item(client: httpx.Client) -> object:
    return "phone" in client.get("/contacts", params={"search": EVERYWHERE_EMAIL}).json()["contacts"][0]


def last_contacted(client: httpx.Client) -> object:
    return client.patch(ADA, json={"company": "Other"}).json()["last_contacted_at"]


def total_with_tags(tags: str) -> Any:
    return lambda client: client.get("/contacts", params={"tags": tags}).json()["pagination"]["total"]


def first_listed(client: httpx.Client) -> object:
    return client.get("/contacts").json()["contacts"][0]["email"]


def over_limit(client: httpx.Client) -> object:
    answer = client.get("/contacts", params={"limit": "201"})
    return answer.status_code, answer.json().get("pagination", {}).get("limit")


def last_of_sixty_one(client: httpx.Client) -> object:
    return [client.get("/contacts/tags") for _ in range(61)][-1].headers.get("retry-after", "none")


def nested_custom_field(client: httpx.Client) -> object:
    return create(client, custom_fields={"size": {"feet": 9}}).status_code


def merged_custom_fields(client: httpx.Client) -> object:
    return client.patch(f"{ADA}/custom-fields", json={"seats": 3}).status_code


def created_at(client: httpx.Client) -> object:
    return client.get(ADA).json()["created_at"]


def found_by_company(client: httpx.Client) -> object:
    return client.get("/contacts", params={"search": "Northwind Oy"}).json()["pagination"]["total"]


def malformed_id_status(client: httpx.Client) -> object:
    return client.get("/contacts/con_abc123").status_code


def delete_status(client: httpx.Client) -> object:
    return client.delete(ADA).status_code


SAME_EMAIL = created_status(email=EVERYWHERE_EMAIL)
NOT_FOUND = "Contact not found"

FLIPS = [
    Flip("unknown_fields", "ignored", created_status(surprise=1), 422, 201),
    Flip("project_header", "required", without_project, 200, 400),
    Flip(
        "error_form",
        "error_object",
        error_body,
        '{"error": "Contact not found"}',
        '{"error": {"code": "http_404", "message": "Contact not found"}}',
    ),
    Flip("error_form", "message", error_body, '{"error": "Contact not found"}', '{"message": "Contact not found"}'),
    Flip(
        "error_form",
        "success_false",
        error_body,
        '{"error": "Contact not found"}',
        '{"success": false, "error": "Contact not found"}',
    ),
    Flip("error_form", "empty", error_body, '{"error": "Contact not found"}', ""),
    Flip("error_form", "text", error_body, '{"error": "Contact not found"}', NOT_FOUND),
    Flip("validation_status", 400, created_status(name=1), 422, 400),
    Flip("duplicate_status", 400, SAME_EMAIL, 409, 400),
    Flip("duplicate_status", 422, SAME_EMAIL, 409, 422),
    Flip("email_comparison", "case_sensitive", created_status(email=EVERYWHERE_EMAIL.upper()), 409, 201),
    Flip("create_status", 200, created_status(), 201, 200),
    Flip("delete_status", 202, delete_status, 200, 202),
    Flip("create_answers_tags", True, tags_of_create, [], ["Beta"]),
    Flip("write_answers", "whole", keys_of_update, False, True),
    Flip("empty_fields", "null", phone_of_a_bare_contact, "left out", None),
    Flip("null_on_update", "refused", after_update("company", None), (200, None), (422, "Northwind Oy")),
    Flip("null_on_update", "ignored", after_update("company", None), (200, None), (200, "Northwind Oy")),
    Flip("blank_text", "stored", after_update("company", ""), (422, "Northwind Oy"), (200, "")),
    Flip("unlisted_on_update", "ignored", after_update("external_id", "x"), (422, "crm-0001"), (200, "crm-0001")),
    Flip("unlisted_on_update", "stored", after_update("external_id", "x"), (422, "crm-0001"), (200, "x")),
    Flip("unlisted_on_read", "left_out", external_id_of_ada, "crm-0001", None),
    Flip("list_items", "whole", phone_of_a_list_item, False, True),
    Flip("update_sets_last_contacted", True, last_contacted, "2024-03-04T16:00:00.000Z", "2031-03-04T05:06:07.000Z"),
    Flip("tag_filter", "all", total_with_tags("Beta,VIP"), 19, 0),
    Flip("tag_names", "case_insensitive", total_with_tags("vip"), 0, 19),
    Flip("list_order", "oldest_first", first_listed, "priya.quill@harbour.example", EVERYWHERE_EMAIL),
    Flip("limit_above_maximum", "refused", over_limit, (200, 200), (400, None)),
    Flip("rate_limit", True, last_of_sixty_one, "none", "60"),
    Flip("retry_after", "date", last_of_sixty_one, "60", "Tue, 04 Mar 2031 05:07:07 GMT", given={"rate_limit": True}),
    Flip("retry_after", "absent", last_of_sixty_one, "60", "none", given={"rate_limit": True}),
    Flip("custom_field_values", "scalars", nested_custom_field, 201, 422),
    Flip("custom_fields_endpoint", "404", merged_custom_fields, 200, 404),
    Flip("custom_fields_endpoint", "405", merged_custom_fields, 200, 405),
    Flip("malformed_id_status", 400, malformed_id_status, 404, 400),
    Flip("malformed_id_status", 422, malformed_id_status, 404, 422),
    Flip("timestamp_offset_hours", 2, created_at, "2024-03-02T16:00:00.000Z", "2024-03-02T18:00:00.000+02:00"),
    Flip("resubscribe_by_update", "accepted", after_update("unsubscribed", False), (422, False), (200, False)),
    Flip("search_covers", "name_email", found_by_company, 8, 0),
]


@pytest.mark.parametrize("flip", FLIPS, ids=names(FLIPS))
def test_turning_the_switch_changes_what_is_seen(
    flip: Flip, sandbox: Sandbox, gately: httpx.Client, time: FakeTime
) -> None:
    sandbox.gately.switches = GatelySwitches(**flip.given)
    assert flip.look(gately) == flip.seen
    sandbox.gately.reset()
    sandbox.gately.switches = GatelySwitches(**flip.given, **{flip.switch: flip.value})
    assert flip.look(gately) == flip.seen_flipped


def test_every_value_of_every_switch_is_tried() -> None:
    assert untried(GatelySwitches, FLIPS) == set()
