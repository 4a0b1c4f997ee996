"""The simulators answer the documented examples to the letter (ids of new contacts apart)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from gateway.sandbox.cometly.profile import CometlyProfile, Values
from gateway.sandbox.gately.contact import GatelyContact, Tag
from gateway.sandbox.klen.contact import KlenContact, Note, Phone
from gateway.sandbox.sandbox import CometlySwitches, GatelySwitches, Sandbox

FIXTURES = Path(__file__).parents[1] / "fixtures" / "providers"
GATELY_ID = "0d6f2c1e-7b1a-4c55-9f0e-2a9b6f3d1c77"


def payload(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text())


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def only_gately_contact(sandbox: Sandbox) -> GatelyContact:
    sandbox.gately.contacts.clear()
    sandbox.gately.book.tags["9a7c-tag"] = Tag("9a7c-tag", "Beta", "#336699", at("2031-01-01"))
    contact = GatelyContact(
        GATELY_ID,
        "Ines Aalto",
        "ines@aalto.test",
        at("2031-01-15T12:00:00"),
        at("2031-02-10T09:00:00"),
        phone="+358 40 000 0000",
        company="Northwind Oy",
        status="active",
        notes="Asked for a demo",
        custom_fields={"tier": "gold"},
        tags=["9a7c-tag"],
        last_contacted_at=at("2031-02-10T09:00:00"),
    )
    sandbox.gately.contacts[contact.id] = contact
    return contact


def only_cometly_profiles(sandbox: Sandbox) -> None:
    sandbox.cometly.contacts.clear()
    sandbox.cometly.contacts[48207] = CometlyProfile(48207, at("2031-03-01"))
    profile = CometlyProfile(48210, at("2031-03-02"))
    profile.emails = Values(["mika@example.test", "m.virta@example.test"], "mika@example.test")
    profile.phones = Values(["+358400000001"], "+358400000001")
    profile.names = Values(["Mika Virta"], "Mika Virta")
    profile.locations = Values(["Turku, FI"], "Turku, FI")
    profile.custom_fields = {"profile_field_1": "Gold", "profile_field_16": "12"}
    sandbox.cometly.contacts[48210] = profile


def only_klen_contact(sandbox: Sandbox) -> None:
    sandbox.klen.contacts.clear()
    sandbox.klen.contacts[9041] = KlenContact(
        9041,
        "Noor",
        at("2031-03-04T05:06:07"),
        last_name="Haddad",
        email="noor@example.test",
        company="Harbour Ltd",
        website="https://harbour.test",
        address="5 Quay Road",
        city="Cork",
        state="CO",
        zip_code="T12",
        country="IE",
        tags=["New"],
        phone_numbers=[Phone(311, "+353210000001", "mobile", primary=True)],
        custom_context={"lead_source": "fair"},
        last_call_date=at("2031-03-05T10:00:00"),
        notes=[Note(52, "Wants a call on Friday", at("2031-03-05T10:02:00"), "call_note", "interested")],
    )


def test_gately_create_answers_the_example_without_tags(gately: httpx.Client) -> None:
    answer = gately.post("/contacts", json=payload("gately/create_request"))
    assert answer.status_code == 201
    assert answer.json() == payload("gately/create_response") | {"id": answer.json()["id"]}


def test_gately_get_answers_the_example(sandbox: Sandbox, gately: httpx.Client) -> None:
    only_gately_contact(sandbox)
    answer = gately.get(f"/contacts/{GATELY_ID}")
    assert answer.status_code == 200
    assert answer.json() == payload("gately/get_response")


def test_gately_list_answers_the_example(sandbox: Sandbox, gately: httpx.Client) -> None:
    only_gately_contact(sandbox)
    assert gately.get("/contacts").json() == payload("gately/list_response")


def test_gately_update_answers_the_partial_example(sandbox: Sandbox, gately: httpx.Client) -> None:
    only_gately_contact(sandbox)
    sandbox.gately.switches = GatelySwitches(update_sets_last_contacted=True)
    expected = payload("gately/update_response")
    answer = gately.patch(f"/contacts/{GATELY_ID}", json=payload("gately/update_request"))
    assert answer.status_code == 200
    now = "2031-03-04T05:06:07.000Z"
    assert answer.json() == expected | {"last_contacted_at": now, "updated_at": now}


def test_gately_delete_answers_a_message(sandbox: Sandbox, gately: httpx.Client) -> None:
    only_gately_contact(sandbox)
    answer = gately.delete(f"/contacts/{GATELY_ID}")
    assert (answer.status_code, answer.json()) == (200, payload("gately/delete_response"))
    assert gately.get(f"/contacts/{GATELY_ID}").status_code == 404


def test_cometly_create_answers_what_was_provided(cometly: httpx.Client) -> None:
    answer = cometly.post("/contacts", json=payload("cometly/create_request"))
    assert answer.status_code == 201
    assert answer.json() == payload("cometly/create_response") | {"id": answer.json()["id"]}


def test_cometly_get_after_create_is_newest_first(cometly: httpx.Client) -> None:
    created = cometly.post("/contacts", json=payload("cometly/create_request")).json()
    answer = cometly.get(f"/contacts/{created['id']}")
    assert answer.status_code == 200
    assert answer.json() == payload("cometly/get_response") | {"id": created["id"]}


def test_cometly_list_answers_the_example(sandbox: Sandbox, cometly: httpx.Client) -> None:
    only_cometly_profiles(sandbox)
    window = {"start_date": "2031-01-01 00:00:00", "end_date": "2031-12-31 23:59:59"}
    last = cometly.get("/contacts", params=window, headers={"Host": "app.cometly.com"}).json()
    example = payload("cometly/list_response")
    the_end = {"next_cursor": None, "next_page_url": None}
    assert last == example | {"path": example["path"].replace("https:", "http:")} | the_end


def test_cometly_update_answers_the_fields_sent_and_the_id(sandbox: Sandbox, cometly: httpx.Client) -> None:
    only_cometly_profiles(sandbox)
    answer = cometly.put("/contacts/48210", json=payload("cometly/update_request"))
    assert (answer.status_code, answer.json()) == (200, payload("cometly/update_response"))


def test_klen_create_answers_an_acknowledgement(klen: httpx.Client) -> None:
    answer = klen.post("/contacts/create", json=payload("klen/create_request"))
    assert answer.status_code == 201
    assert answer.json() == payload("klen/create_response") | {"id": answer.json()["id"]}


def test_klen_get_answers_the_example(sandbox: Sandbox, klen: httpx.Client) -> None:
    only_klen_contact(sandbox)
    assert klen.get("/contacts/9041").json() == payload("klen/get_response")


def test_klen_list_answers_the_example(sandbox: Sandbox, klen: httpx.Client) -> None:
    only_klen_contact(sandbox)
    assert klen.get("/contacts").json() == payload("klen/list_response")


def test_klen_update_takes_the_example_and_acknowledges(sandbox: Sandbox, klen: httpx.Client) -> None:
    only_klen_contact(sandbox)
    answer = klen.patch("/contacts/9041/update", json=payload("klen/update_request"))
    assert (answer.status_code, answer.json()) == (200, payload("klen/update_response"))
    details = klen.get("/contacts/9041").json()
    assert (details["stage"], details["tags"]) == ("qualified_lead", ["New", "Priority"])
    first, second = details["phone_numbers"]
    assert (first["id"], first["do_not_call"], first["dnc_date"]) == (311, True, "2031-03-04T05:06:07Z")
    assert (first["primary"], first["phone_type"]) == (True, "mobile")
    assert (second["phone_number"], second["phone_type"], second["primary"]) == ("+353210000002", "work", False)


def test_every_error_body_has_the_documented_keys(
    sandbox: Sandbox, gately: httpx.Client, cometly: httpx.Client, klen: httpx.Client
) -> None:
    missing = gately.get("/contacts/00000000-0000-4000-8000-000000000000")
    gone, unknown = cometly.get("/contacts/1"), klen.get("/contacts/1")
    assert (missing.status_code, gone.status_code, unknown.status_code) == (404, 404, 404)
    assert missing.json().keys() == payload("gately/error_forms")[0].keys()
    assert gone.json().keys() == payload("cometly/error_response").keys()
    assert unknown.json() == payload("klen/error_response") | {"message": unknown.json()["message"]}


def test_every_form_of_gately_error_can_be_had(sandbox: Sandbox, gately: httpx.Client) -> None:
    found = []
    for form in ("error", "error_object", "message", "success_false"):
        sandbox.gately.switches = GatelySwitches(error_form=form)
        found.append(gately.get("/contacts/unknown").json())
    assert [sorted(one) for one in found] == [sorted(one) for one in payload("gately/error_forms")]


def test_a_cometly_list_can_be_walked_there_and_back(cometly: httpx.Client) -> None:
    window = {"start_date": "2020-01-01 00:00:00", "end_date": "2031-12-31 23:59:59", "per_page": "20"}
    pages = [cometly.get("/contacts", params=window).json()]
    while cursor := pages[-1]["next_cursor"]:
        pages.append(cometly.get("/contacts", params=window | {"cursor": cursor}).json())
    ids = [item["id"] for page in pages for item in page["data"]]
    assert len(pages) == 2
    assert ids == sorted(ids, reverse=True)
    back = cometly.get("/contacts", params=window | {"cursor": pages[-1]["prev_cursor"]}).json()
    assert back["data"] == pages[0]["data"]
    assert (back["prev_cursor"], pages[0]["prev_cursor"]) == (None, None)


def test_a_cometly_window_is_read_in_the_zone_of_the_space(cometly: httpx.Client, sandbox: Sandbox) -> None:
    created = cometly.post("/contacts", json={"emails": ["late@example.test"]}).json()["id"]
    around = {"start_date": "2031-03-04 05:00:00", "end_date": "2031-03-04 06:00:00"}
    assert cometly.get("/contacts", params=around).json()["data"] == []
    sandbox.cometly.switches = CometlySwitches(timezone="UTC")
    assert [item["id"] for item in cometly.get("/contacts", params=around).json()["data"]] == [created]
