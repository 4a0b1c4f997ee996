"""What each provider demands of every request and of every field."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from gateway.sandbox.sandbox import KLEN_KEY, Sandbox
from gateway.sandbox.seed.landmarks import EVERYWHERE_GATELY_ID, OTHER_TEAM_KLEN_ID, SURVIVING_COMETLY_ID

WINDOW = {"start_date": "2020-01-01 00:00:00", "end_date": "2031-12-31 23:59:59"}


@pytest.mark.parametrize("authorization", ["", "Bearer wrong", "Basic gately_sk_test_sandbox"])
def test_an_unknown_key_is_refused_everywhere(authorization: str, clients: dict[str, httpx.Client]) -> None:
    for client in clients.values():
        answer = client.get("/contacts", headers={"Authorization": authorization}, params=WINDOW)
        assert answer.status_code == 401


def test_klen_tells_a_missing_key_from_an_unknown_one(klen: httpx.Client) -> None:
    codes = [
        klen.get("/contacts", headers={"Authorization": text}).json()["error"] for text in ("", "Bearer klen_other")
    ]
    assert codes == ["authentication_required", "invalid_key"]


def test_klen_takes_its_key_in_a_header_of_its_own(klen: httpx.Client) -> None:
    headers = {"Authorization": "", "X-API-Key": KLEN_KEY}
    assert klen.get("/contacts", headers=headers).status_code == 200


def test_gately_refuses_another_project_and_needs_none(gately: httpx.Client) -> None:
    assert gately.get("/contacts", headers={"X-Project-ID": "another"}).status_code == 403
    del gately.headers["X-Project-ID"]
    assert gately.get("/contacts").status_code == 200


@pytest.mark.parametrize("header", ["Accept", "Content-Type"])
def test_cometly_answers_html_without_a_required_header(header: str, cometly: httpx.Client) -> None:
    cometly.headers[header] = "*/*"
    answer = cometly.get(f"/contacts/{SURVIVING_COMETLY_ID}")
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("provider", ["gately", "klen"])
def test_a_body_must_be_sent_as_json(provider: str, clients: dict[str, httpx.Client], sandbox: Sandbox) -> None:
    path = {"gately": "/contacts", "klen": "/contacts/create"}[provider]
    before = len(sandbox.gately.contacts) + len(sandbox.klen.contacts)
    body = b'{"name": "Ines", "first_name": "Ines", "email": "ines@aalto.test"}'
    text = clients[provider].post(path, content=body, headers={"Content-Type": "text/plain"})
    broken = clients[provider].post(path, content=b"{", headers={"Content-Type": "application/json"})
    array = clients[provider].post(path, json=[])
    assert [answer.status_code for answer in (text, broken, array)] == [400, 400, 400]
    assert len(sandbox.gately.contacts) + len(sandbox.klen.contacts) == before


GATELY_SLIPS: list[dict[str, Any]] = [
    {"email": "ines@aalto.test"},
    {"name": "Ines"},
    {"name": "Ines", "email": "ines"},
    {"name": " ", "email": "ines@aalto.test"},
    {"name": "Ines", "email": "ines@aalto.test", "unsubscribed": True},
    {"name": "Ines", "email": "ines@aalto.test", "phones": []},
    {"name": "Ines", "email": "ines@aalto.test", "phone": 1},
    {"name": "Ines", "email": "ines@aalto.test", "phone": None},
    {"name": "Ines", "email": "ines@aalto.test", "status": "lead"},
    {"name": "Ines", "email": "ines@aalto.test", "tags": [{"name": "VIP"}]},
    {"name": "Ines", "email": "ines@aalto.test", "custom_fields": []},
]


@pytest.mark.parametrize("body", GATELY_SLIPS)
def test_gately_refuses_a_create_that_breaks_the_documentation(body: dict[str, Any], gately: httpx.Client) -> None:
    assert gately.post("/contacts", json=body).status_code == 422


@pytest.mark.parametrize(
    "body", [{"address_line_1": "x"}, {"address_line_2": "x"}, {"external_id": "x"}, {"name": None}, {"status": None}]
)
def test_gately_refuses_an_update_that_breaks_the_documentation(body: dict[str, Any], gately: httpx.Client) -> None:
    assert gately.patch(f"/contacts/{EVERYWHERE_GATELY_ID}", json=body).status_code == 422


COMETLY_SLIPS: list[dict[str, Any]] = [
    {},
    {"emails": []},
    {"emails": "ines@aalto.test"},
    {"emails": ["ines"]},
    {"emails": ["ines@aalto.test"], "phones": None},
    {"emails": ["ines@aalto.test"], "phones": [{"number": "1"}]},
    {"emails": ["ines@aalto.test"], "tags": ["VIP"]},
    {"emails": ["ines@aalto.test"], "custom_fields": {"Tier": "Gold"}},
    {"emails": ["ines@aalto.test"], "custom_fields": {"profile_field_31": "Gold"}},
    {"emails": ["ines@aalto.test"], "custom_fields": {"profile_field_1": 5}},
    {"emails": ["ines@aalto.test"], "custom_fields": {"profile_field_1": "x" * 10_241}},
    {"emails": ["ines@aalto.test"], "custom_fields": {"profile_field_16": "many"}},
    {"emails": ["ines@aalto.test"], "custom_fields": {"profile_field_26": "15.01.2031"}},
    {"emails": ["ines@aalto.test"], "custom_fields": {"profile_field_26": "2031-02-30"}},
]


@pytest.mark.parametrize("body", COMETLY_SLIPS)
def test_cometly_refuses_a_create_that_breaks_the_documentation(body: dict[str, Any], cometly: httpx.Client) -> None:
    answer = cometly.post("/contacts", json=body)
    assert (answer.status_code, list(answer.json())) == (422, ["message"])


def test_cometly_refuses_an_update_that_changes_nothing(cometly: httpx.Client) -> None:
    assert cometly.put(f"/contacts/{SURVIVING_COMETLY_ID}", json={}).status_code == 422


@pytest.mark.parametrize("contact_id", ["abc", "-1", "1.5"])
def test_cometly_refuses_an_id_that_is_no_number(contact_id: str, cometly: httpx.Client) -> None:
    assert cometly.get(f"/contacts/{contact_id}").status_code == 422


@pytest.mark.parametrize(
    "changes",
    [
        {"start_date": None},
        {"end_date": None},
        {"start_date": "2020-01-01"},
        {"end_date": "2020-01-01 00:00:00"},
        {"end_date": "2031-13-01 00:00:00"},
        {"per_page": "5001"},
        {"per_page": "0"},
        {"cursor": "guess"},
        {"include_all_emails": "true"},
        {"search": "ada"},
    ],
)
def test_cometly_refuses_a_list_that_breaks_the_documentation(
    changes: dict[str, str | None], cometly: httpx.Client
) -> None:
    params = {name: text for name, text in (WINDOW | changes).items() if text is not None}
    assert cometly.get("/contacts", params=params).status_code == 422


KLEN_SLIPS: list[tuple[dict[str, Any], int, str]] = [
    ({}, 400, "missing_first_name"),
    ({"first_name": " "}, 400, "missing_first_name"),
    ({"first_name": "Noor", "full_name": "Noor"}, 400, "validation_error"),
    ({"first_name": "Noor", "email": None}, 400, "validation_error"),
    ({"first_name": "Noor", "address": {"street": "5 Quay Road"}}, 400, "validation_error"),
    ({"first_name": "Noor", "stage": "friend"}, 400, "validation_error"),
    ({"first_name": "Noor", "country": "Ireland"}, 400, "validation_error"),
    ({"first_name": "Noor", "phone_numbers": ["+353210000001"]}, 400, "validation_error"),
    ({"first_name": "Noor", "phone_numbers": [{"phone_type": "work"}]}, 400, "validation_error"),
    ({"first_name": "Noor", "phone_numbers": [{"phone_number": "021 000 0001"}]}, 400, "validation_error"),
    ({"first_name": "Noor", "phone_numbers": [{"id": 1, "phone_number": "+353210000001"}]}, 400, "validation_error"),
    ({"first_name": "Noor", "team_id": 9}, 403, "team_access_denied"),
    ({"first_name": "Noor", "team_id": 1000}, 404, "team_not_found"),
]


@pytest.mark.parametrize(("body", "status", "code"), KLEN_SLIPS)
def test_klen_refuses_a_create_with_a_machine_code(
    body: dict[str, Any], status: int, code: str, klen: httpx.Client
) -> None:
    answer = klen.post("/contacts/create", json=body)
    assert (answer.status_code, answer.json()["error"]) == (status, code)


def test_klen_hides_a_contact_of_another_team(klen: httpx.Client) -> None:
    answer = klen.get(f"/contacts/{OTHER_TEAM_KLEN_ID}")
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
    listed = klen.get("/contacts", params={"limit": "100"}).json()["contacts"]
    assert OTHER_TEAM_KLEN_ID not in [item["id"] for item in listed]


def test_klen_makes_the_first_phone_primary_and_the_country_us(klen: httpx.Client) -> None:
    phones = [{"phone_number": "+353210000001"}, {"phone_number": "+353210000002"}]
    created = klen.post("/contacts/create", json={"first_name": "Noor", "phone_numbers": phones}).json()["id"]
    details = klen.get(f"/contacts/{created}").json()
    assert [phone["primary"] for phone in details["phone_numbers"]] == [True, False]
    assert (details["address"]["country"], details["stage"], details["status"]) == ("US", "lead", "not_contacted")


def test_literal_segments_win_over_a_contact_id(gately: httpx.Client) -> None:
    for name in ("tags", "lists", "segments"):
        assert isinstance(gately.get(f"/contacts/{name}").json(), list)


def test_an_undocumented_method_is_not_allowed(clients: dict[str, httpx.Client]) -> None:
    statuses = {name: client.delete("/contacts").status_code for name, client in clients.items()}
    assert statuses == {"gately": 405, "cometly": 405, "klen": 405}


def test_gately_unsubscribes_with_a_record_and_back(gately: httpx.Client) -> None:
    path = f"/contacts/{EVERYWHERE_GATELY_ID}"
    record = gately.post(f"{path}/unsubscribes", json={"reason": "asked"}).json()
    assert (record["contact_id"], record["type"], record["reason"], record["source"]) == (
        EVERYWHERE_GATELY_ID,
        "all",
        "asked",
        None,
    )
    assert gately.get(path).json()["unsubscribed"] is True
    assert gately.get(f"{path}/unsubscribes").json() == [record]
    assert gately.delete(f"{path}/unsubscribes").json() == {"message": "Contact resubscribed successfully"}
    assert gately.get(path).json()["unsubscribed"] is False


def test_gately_custom_fields_are_replaced_by_an_update_and_merged_by_their_endpoint(gately: httpx.Client) -> None:
    path = f"/contacts/{EVERYWHERE_GATELY_ID}"
    gately.patch(path, json={"custom_fields": {"tier": "gold"}})
    assert gately.patch(f"{path}/custom-fields", json={"seats": 3}).json() == {"tier": "gold", "seats": 3}
    assert gately.get(f"{path}/custom-fields").json() == gately.get(path).json()["custom_fields"]


def test_cometly_follows_a_merged_id_and_answers_the_surviving_one(cometly: httpx.Client) -> None:
    assert cometly.get("/contacts/48094").json()["id"] == SURVIVING_COMETLY_ID
    assert cometly.put("/contacts/48094", json={"names": []}).json() == {"id": SURVIVING_COMETLY_ID, "names": []}


def test_gately_tags_can_be_made_attached_detached_and_deleted(gately: httpx.Client) -> None:
    def held() -> list[str]:
        return [tag["name"] for tag in gately.get(f"/contacts/{EVERYWHERE_GATELY_ID}").json().get("tags", [])]

    tag = gately.post("/contacts/tags", json={"name": "Fresh", "color": "#0066ff"}).json()
    assert tag in gately.get("/contacts/tags").json()
    assert gately.post("/contacts/tags", json={"name": "Fresh"}).status_code == 409
    assert gately.put(f"/contacts/tags/{tag['id']}", json={"color": "#000000"}).json() == tag | {"color": "#000000"}
    link = {"contact_id": EVERYWHERE_GATELY_ID, "tag_id": tag["id"]}
    assert gately.post("/contacts/contact-tags", json=link).status_code == 200
    assert "Fresh" in held()
    gately.delete("/contacts/contact-tags", params=link)
    assert "Fresh" not in held()
    gately.post("/contacts/contact-tags", json=link)
    gately.delete(f"/contacts/tags/{tag['id']}")
    assert "Fresh" not in held()
    assert gately.delete(f"/contacts/tags/{tag['id']}").status_code == 404


def test_gately_filters_its_list_by_status_and_refuses_unknown_ones(gately: httpx.Client) -> None:
    listed = gately.get("/contacts", params={"status": "archived"}).json()["contacts"]
    assert {item["status"] for item in listed} == {"archived"}
    refused = [gately.get("/contacts", params=params).status_code for params in ({"status": "lead"}, {"sort": "name"})]
    assert refused == [422, 422]


def test_klen_filters_its_list_by_stage_status_and_tag(klen: httpx.Client) -> None:
    filters = {"stage": "prospect", "status": "contacted", "tag": "New"}
    (listed,) = klen.get("/contacts", params=filters | {"search": "ada"}).json()["contacts"]
    assert (listed["stage"], listed["status"], "New" in listed["tags"]) == ("prospect", "contacted", True)
    for name in filters:
        assert klen.get("/contacts", params={name: "unheard of"}).json()["count"] == 0
    assert klen.get("/contacts", params={"sort": "name"}).json()["error"] == "validation_error"
