"""Each open point of the Klen notes, turned round."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from gateway.sandbox.klen.switches import KlenSwitches
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.seed.landmarks import DO_NOT_CALL_KLEN_ID, EVERYWHERE_EMAIL, OTHER_TEAM_KLEN_ID
from tests.sandbox.fake_time import FakeTime
from tests.sandbox.flips import Flip, names, untried

ADA = "/contacts/9001"
FIRST, SECOND, THIRD = "+16175550101", "+447700900101", "+353210000009"
QUIET = f"/contacts/{DO_NOT_CALL_KLEN_ID}"


def create(client: httpx.Client, **fields: object) -> httpx.Response:
    return client.post("/contacts/create", json={"first_name": "Noor", **fields})


def created_status(**fields: object) -> Any:
    return lambda client: create(client, **fields).status_code


def update_status(**fields: object) -> Any:
    return lambda client: client.patch(f"{ADA}/update", json=fields).status_code


def after_patch(field: str, **fields: object) -> Any:
    """The field read back after a PATCH, or the status of one that was refused."""

    def look(client: httpx.Client) -> object:
        answer = client.patch(f"{ADA}/update", json=fields)
        return client.get(ADA).json()[field] if answer.is_success else answer.status_code

    return look


def phones_after(method: str, *entries: dict[str, object], **fields: object) -> Any:
    """Numbers and primary flags after an update with these entries, or the status of a refusal."""

    def look(client: httpx.Client) -> object:
        answer = client.request(method, f"{ADA}/update", json={"phone_numbers": list(entries), **fields})
        if not answer.is_success:
            return answer.status_code
        return [(phone["phone_number"], phone["primary"]) for phone in client.get(ADA).json()["phone_numbers"]]

    return look


def create_answer(client: httpx.Client) -> object:
    answer = create(client).json()
    return sorted(answer), sorted(answer.get("contact", ()))


def dnc_after_quieting(client: httpx.Client) -> object:
    client.patch(f"{ADA}/update", json={"phone_numbers": [{"id": 302, "phone_number": FIRST, "do_not_call": True}]})
    return client.get(ADA).json()["phone_numbers"][0]["dnc_date"]


def dnc_removal(client: httpx.Client) -> object:
    phone = client.get(QUIET).json()["phone_numbers"][0]
    entry = {"id": phone["id"], "phone_number": phone["phone_number"], "do_not_call": False}
    client.patch(f"{QUIET}/update", json={"phone_numbers": [entry]})
    return client.get(QUIET).json()["phone_numbers"][0]["do_not_call"]


def type_of_a_new_phone(client: httpx.Client) -> object:
    made = create(client, phone_numbers=[{"phone_number": THIRD}]).json()["id"]
    return client.get(f"/contacts/{made}").json()["phone_numbers"][0]["phone_type"]


def number_of_a_new_phone(client: httpx.Client) -> object:
    answer = create(client, phone_numbers=[{"phone_number": "+353 21 000 0009"}])
    if not answer.is_success:
        return answer.status_code
    return client.get(f"/contacts/{answer.json()['id']}").json()["phone_numbers"][0]["phone_number"]


def listed_phone(client: httpx.Client) -> object:
    client.patch(f"{ADA}/update", json={"phone_numbers": [{"id": 303, "phone_number": SECOND, "primary": True}]})
    return client.get("/contacts", params={"search": EVERYWHERE_EMAIL}).json()["contacts"][0]["phone"]


def company_after_put(client: httpx.Client) -> object:
    client.put(f"{ADA}/update", json={"first_name": "Ada"})
    return client.get(ADA).json()["company"]


def street_after_city(client: httpx.Client) -> object:
    client.patch(f"{ADA}/update", json={"city": "Cork"})
    return client.get(ADA).json()["address"]["street"]


def details_of_refusal(client: httpx.Client) -> object:
    return create(client, stage="friend").json().get("details")


def first_listed(client: httpx.Client) -> object:
    return client.get("/contacts").json()["contacts"][0]["id"]


def over_limit(client: httpx.Client) -> object:
    answer = client.get("/contacts", params={"limit": "101"})
    return answer.status_code, answer.json().get("limit")


def last_of_sixty_one(client: httpx.Client) -> object:
    return [client.get("/contacts", params={"limit": "1"}) for _ in range(61)][-1].headers.get("retry-after", "none")


def foreign(client: httpx.Client) -> object:
    answer = client.get(f"/contacts/{OTHER_TEAM_KLEN_ID}")
    return answer.status_code, answer.json()["error"]


def slashes(client: httpx.Client) -> object:
    return [client.get(path).status_code for path in (ADA, f"{ADA}/")]


def company_of_a_bare_contact(client: httpx.Client) -> object:
    return client.get(f"/contacts/{create(client).json()['id']}").json().get("company", "absent")


SEEDED = [(FIRST, True), (SECOND, False)]
READ_ONLY: frozenset[Any] = frozenset(("can_read_contacts",))
UPDATED_STATUS = update_status(company="x")
MERGED = {"tier": "gold", "lead_source": "fair", "size": 3}
ANSWERS = {"id": ["id", "message"], "contact_id": ["contact_id", "message"], "contact": ["contact", "message"]}
THIRD_PRIMARY: dict[str, object] = {"phone_number": THIRD, "primary": True}
SECOND_PRIMARY: dict[str, object] = {"id": 303, "phone_number": SECOND, "primary": True}

FLIPS = [
    Flip("unknown_fields", "ignored", created_status(full_name="x"), 400, 201),
    Flip("create_status", 200, created_status(), 201, 200),
    Flip("create_answer", "contact_id", create_answer, (ANSWERS["id"], []), (ANSWERS["contact_id"], [])),
    Flip("create_answer", "contact", create_answer, (ANSWERS["id"], []), (ANSWERS["contact"], ["id"])),
    Flip("create_answer", "none", create_answer, (ANSWERS["id"], []), (["message"], [])),
    Flip(
        "update_answer",
        "empty",
        lambda client: client.patch(f"{ADA}/update", json={"company": "x"}).content,
        b'{"message": "Contact updated successfully"}',
        b"",
    ),
    Flip("update_status", 204, UPDATED_STATUS, 200, 204),
    Flip("duplicate_email", "400", created_status(email=EVERYWHERE_EMAIL), 201, 400),
    Flip("duplicate_email", "409", created_status(email=EVERYWHERE_EMAIL), 201, 409),
    Flip(
        "patch_phones",
        "removes_unlisted",
        phones_after("PATCH", {"phone_number": THIRD}),
        [*SEEDED, (THIRD, False)],
        [(THIRD, False)],
    ),
    Flip("put_absent", "kept", company_after_put, None, "Northwind Oy"),
    Flip(
        "same_number_without_id",
        "matched",
        phones_after("PATCH", {"phone_number": FIRST}),
        [*SEEDED, (FIRST, False)],
        SEEDED,
    ),
    Flip(
        "same_number_without_id",
        "refused",
        phones_after("PATCH", {"phone_number": FIRST}),
        [*SEEDED, (FIRST, False)],
        400,
    ),
    Flip(
        "two_primaries",
        "refused",
        phones_after("PATCH", THIRD_PRIMARY, SECOND_PRIMARY),
        [(FIRST, False), (SECOND, True), (THIRD, False)],
        400,
    ),
    Flip(
        "update_flags_first_primary",
        True,
        phones_after("PUT", {"phone_number": THIRD}, first_name="Ada"),
        [(THIRD, False)],
        [(THIRD, True)],
    ),
    Flip("listed_phone", "first", listed_phone, SECOND, FIRST),
    Flip("phone_format", "reformatted", number_of_a_new_phone, 400, THIRD),
    Flip("dnc_date", "empty", dnc_after_quieting, "2031-03-04T05:06:07Z", None),
    Flip("dnc_removal", "refused", dnc_removal, False, True),
    Flip("default_phone_type", None, type_of_a_new_phone, "mobile", None),
    Flip("custom_context", "merged", after_patch("custom_context", custom_context={"size": 3}), {"size": 3}, MERGED),
    Flip("null_on_update", "refused", after_patch("company", company=None), None, 400),
    Flip("null_on_update", "ignored", after_patch("company", company=None), None, "Northwind Oy"),
    Flip("country_format", "free", created_status(country="Ireland"), 400, 201),
    Flip("address_parts", "replaced_together", street_after_city, "12 Cedar Street", None),
    Flip("unknown_stage_or_status", "accepted", created_status(stage="friend", status="new"), 400, 201),
    Flip(
        "validation_details",
        "details_key",
        details_of_refusal,
        None,
        {"stage": "must be one of lead, prospect, customer, qualified_lead"},
    ),
    Flip("list_order", "oldest_first", first_listed, 9080, 9001),
    Flip("limit_above_maximum", "refused", over_limit, (200, 100), (400, None)),
    Flip("rate_limit", True, last_of_sixty_one, "none", "60"),
    Flip("retry_after", "date", last_of_sixty_one, "60", "Tue, 04 Mar 2031 05:07:07 GMT", given={"rate_limit": True}),
    Flip("retry_after", "absent", last_of_sixty_one, "60", "none", given={"rate_limit": True}),
    Flip("permissions", frozenset(), lambda client: client.get(ADA).json().get("error"), None, "permission_denied"),
    Flip("write_permission", "can_write_contacts", UPDATED_STATUS, 200, 403, given={"permissions": READ_ONLY}),
    Flip("foreign_contact_status", 403, foreign, (404, "not_found"), (403, "permission_denied")),
    Flip("trailing_slash", "redirected_to", slashes, [200, 404], [301, 200]),
    Flip("empty_fields", "absent", company_of_a_bare_contact, None, "absent"),
    Flip("empty_fields", "blank", company_of_a_bare_contact, None, ""),
]


@pytest.mark.parametrize("flip", FLIPS, ids=names(FLIPS))
def test_turning_the_switch_changes_what_is_seen(
    flip: Flip, sandbox: Sandbox, klen: httpx.Client, time: FakeTime
) -> None:
    sandbox.klen.switches = KlenSwitches(**flip.given)
    assert flip.look(klen) == flip.seen
    sandbox.klen.reset()
    sandbox.klen.switches = KlenSwitches(**flip.given, **{flip.switch: flip.value})
    assert flip.look(klen) == flip.seen_flipped


def test_every_value_of_every_switch_is_tried() -> None:
    assert untried(KlenSwitches, FLIPS) == set()
