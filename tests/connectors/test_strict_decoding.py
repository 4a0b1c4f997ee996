"""A wrong shape is a clear failure that names its place; what the documentation does not name is ignored."""

import json

import pytest

from gateway.connectors.base import PageRequest
from gateway.domain.changes import Draft, Patch
from gateway.domain.contact import Field, Provider
from gateway.domain.errors import ReplyUnreadable
from tests.connectors.canned import answered_by, changed, documented
from tests.domain.wanted import emails

GATELY, COMETLY, KLEN = Provider.GATELY, Provider.COMETLY, Provider.KLEN


def read(connector):
    return connector.read("1")


def list_page(connector):
    return connector.list_page(PageRequest(limit=5))


def create(connector):
    return connector.create(Draft(name="Ines", first_name="Ines", emails=emails("ines@aalto.test", primary=0)))


def update(connector):
    return connector.update("1", Patch(company="Northwind Oy", emails=emails("ines@aalto.test", primary=0)))


CALLS = {"get_response": read, "list_response": list_page, "create_response": create, "update_response": update}
READS = ("get_response", "list_response")


def unreadable(run, provider, name, body):
    with pytest.raises(ReplyUnreadable) as failed:
        run(CALLS[name](answered_by(provider, body)))
    fault = failed.value.fault
    assert (fault.provider, fault.upstream_status, fault.retryable) == (provider, 200, False)
    assert failed.value.outcome == "UNKNOWN"
    return fault.message


PLACES = [
    (GATELY, "get_response", ("id",), 7, "$.id: expected str, got int"),
    (GATELY, "get_response", ("id",), None, "$.id: expected str, got null"),
    (GATELY, "get_response", ("name",), ["Ines"], "$.name: expected str | null, got array"),
    (GATELY, "get_response", ("unsubscribed",), "no", "$.unsubscribed: expected bool | null, got str"),
    (GATELY, "get_response", ("tags",), "Beta", "$.tags: expected array | null, got str"),
    (GATELY, "get_response", ("tags", 0), "Beta", "$.tags[0]: expected object, got str"),
    (GATELY, "get_response", ("tags", 0, "name"), 1, "$.tags[0].name: expected str, got int"),
    (GATELY, "get_response", ("custom_fields",), [], "$.custom_fields: expected object | null, got array"),
    (GATELY, "get_response", ("created_at",), "soon", "$.created_at: invalid RFC3339 encoded datetime"),
    (GATELY, "list_response", ("contacts", 0, "email"), 1, "$.contacts[0].email: expected str | null, got int"),
    (GATELY, "list_response", ("pagination", "total"), "1", "$.pagination.total: expected int, got str"),
    (GATELY, "list_response", ("contacts",), {}, "$.contacts: expected array, got object"),
    (GATELY, "create_response", ("id",), 1, "$.id: expected str, got int"),
    (GATELY, "update_response", ("notes",), {}, "$.notes: expected str | null, got object"),
    (COMETLY, "get_response", ("id",), "48210", "$.id: expected int, got str"),
    (COMETLY, "get_response", ("id",), 1.5, "$.id: expected int, got float"),
    (COMETLY, "get_response", ("emails",), "a@b.test", "$.emails: expected array | null, got str"),
    (COMETLY, "get_response", ("emails", 1), 7, "$.emails[1]: expected str | object, got int"),
    (COMETLY, "get_response", ("emails", 1), {"value": 7}, "$.emails[1].value: expected str | null, got int"),
    (COMETLY, "get_response", ("phones", 0), {"primary": "yes"}, "$.phones[0].primary: expected bool | null, got str"),
    (COMETLY, "get_response", ("custom_fields",), [1], "$.custom_fields: expected array of length <= 0"),
    (COMETLY, "get_response", ("custom_fields", "profile_field_1"), ["Gold"], "$.custom_fields[...]: "),
    (COMETLY, "list_response", ("data", 1, "id"), None, "$.data[1].id: expected int, got null"),
    (COMETLY, "list_response", ("data", 0, "email"), ["a@b.test"], "$.data[0].email: expected str | null, got array"),
    (COMETLY, "list_response", ("next_cursor",), 2, "$.next_cursor: expected str | null, got int"),
    (COMETLY, "create_response", ("names", 0), True, "$.names[0]: expected str | object, got bool"),
    (COMETLY, "update_response", ("id",), {}, "$.id: expected int, got object"),
    (KLEN, "get_response", ("id",), "9041", "$.id: expected int, got str"),
    (
        KLEN,
        "get_response",
        ("phone_numbers", 0, "primary"),
        "yes",
        "$.phone_numbers[0].primary: expected bool, got str",
    ),
    (KLEN, "get_response", ("phone_numbers", 0, "id"), "1", "$.phone_numbers[0].id: expected int | null, got str"),
    (
        KLEN,
        "get_response",
        ("phone_numbers", 0, "phone_number"),
        None,
        "$.phone_numbers[0].phone_number: expected str, got null",
    ),
    (KLEN, "get_response", ("address",), "5 Quay Road", "$.address: expected object | null, got str"),
    (KLEN, "get_response", ("address", "city"), 1, "$.address.city: expected str | null, got int"),
    (KLEN, "get_response", ("tags",), "New", "$.tags: expected array | null, got str"),
    (KLEN, "get_response", ("tags", 0), {}, "$.tags[0]: expected str, got object"),
    (KLEN, "get_response", ("recent_notes", 0, "content"), None, "$.recent_notes[0].content: expected str, got null"),
    (KLEN, "get_response", ("custom_context",), "x", "$.custom_context: expected object | null, got str"),
    (KLEN, "list_response", ("contacts", 0, "status"), 1, "$.contacts[0].status: expected str | null, got int"),
    (KLEN, "list_response", ("count",), None, "$.count: expected int, got null"),
    (KLEN, "create_response", ("id",), "9041", "$.id: expected int | null, got str"),
]


@pytest.mark.parametrize(
    ("provider", "name", "path", "value", "reason"),
    PLACES,
    ids=[f"{provider}-{name}-{'.'.join(map(str, path))}-{value!r}" for provider, name, path, value, _ in PLACES],
)
def test_a_wrong_shape_is_unreadable_and_names_its_place(run, provider, name, path, value, reason):
    message = unreadable(run, provider, name, changed(documented(provider, name), *path, to=value))
    assert message.startswith(f"The answer could not be read: {reason}")
    assert message.endswith(".")


def test_the_second_phone_is_named_by_its_position(run):
    body = json.loads(documented(KLEN, "get_response"))
    body["phone_numbers"].append({"phone_number": "+353210000002", "primary": "yes"})
    message = unreadable(run, KLEN, "get_response", json.dumps(body).encode())
    assert message == "The answer could not be read: $.phone_numbers[1].primary: expected bool, got str."


def test_the_value_that_was_found_is_never_repeated(run):
    secret = "klen_a_secret"
    message = unreadable(run, KLEN, "get_response", changed(documented(KLEN, "get_response"), "id", to=secret))
    assert secret not in message


MISSING = [
    (GATELY, "get_response", "id"),
    (GATELY, "list_response", "contacts"),
    (GATELY, "list_response", "pagination"),
    (GATELY, "create_response", "id"),
    (GATELY, "update_response", "id"),
    (COMETLY, "get_response", "id"),
    (COMETLY, "list_response", "data"),
    (COMETLY, "create_response", "id"),
    (COMETLY, "update_response", "id"),
    (KLEN, "get_response", "id"),
    (KLEN, "list_response", "contacts"),
    (KLEN, "list_response", "count"),
    (KLEN, "list_response", "pages"),
]


@pytest.mark.parametrize(("provider", "name", "key"), MISSING)
def test_a_key_that_has_to_be_there_is_named_when_it_is_missing(run, provider, name, key):
    body = json.loads(documented(provider, name))
    del body[key]
    message = unreadable(run, provider, name, json.dumps(body).encode())
    assert message == f"The answer could not be read: $: object missing required field {key}."


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("provider", Provider)
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<!DOCTYPE html>", "the body is not JSON"),
        (b'{"id": ', "the body is not JSON"),
        (b"[" * 100_000, "the body nests too deep"),
        (b"[]", "$: expected object, got array"),
    ],
    ids=["html", "cut", "deep", "array"],
)
def test_a_success_that_is_no_such_json_is_unreadable(run, provider, name, body, reason):
    message = unreadable(run, provider, name, body)
    assert message.startswith("The answer could not be read: ")
    if reason != "the body nests too deep":  # an array is noticed before its depth
        assert message == f"The answer could not be read: {reason}."


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("provider", Provider)
def test_unknown_fields_are_ignored_everywhere(run, provider, name):
    plain = documented(provider, name)

    def with_more(value):
        if isinstance(value, dict):
            return {key: with_more(inner) for key, inner in value.items()} | {"brand_new": {"any": [1, None]}}
        return [with_more(inner) for inner in value] if isinstance(value, list) else value

    def told(body):
        answer = run(CALLS[name](answered_by(provider, body)))
        records = answer.records if name == "list_response" else [getattr(answer, "record", answer)]
        free = {"raw", "custom_fields"}
        return [{key: getattr(one, key) for key in one.__slots__ if key not in free} for one in records]

    more = with_more(json.loads(plain))
    for place in [more, *more.get("contacts", ()), *more.get("data", ())]:
        # Open objects: a key of theirs is content, and Cometly's slots hold scalars.
        for free in ("custom_fields", "custom_context", "industry_context"):
            if isinstance(place.get(free), dict):
                place[free].pop("brand_new")
    assert told(json.dumps(more).encode()) == told(plain)


@pytest.mark.parametrize("body", [b'{"id": 1, "custom_fields": []}', b'{"id": 1, "custom_fields": null}', b'{"id": 1}'])
def test_php_writes_an_empty_object_as_an_empty_list(run, body):
    assert run(answered_by(COMETLY, body).read("1")).custom_fields == {}


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2031-01-15T12:00:00.000Z", "2031-01-15T12:00:00+00:00"),
        ("2031-01-15T14:00:00+02:00", "2031-01-15T12:00:00+00:00"),
        ("2031-01-15T12:00:00", "2031-01-15T12:00:00+00:00"),
    ],
)
@pytest.mark.parametrize("field", ["created_at", "updated_at", "last_contacted_at"])
def test_a_time_is_in_utc_whatever_its_offset(run, field, text, iso):
    body = changed(documented(GATELY, "get_response"), field, to=text)
    assert getattr(run(answered_by(GATELY, body).read("1")), field).isoformat() == iso


@pytest.mark.parametrize("blank", ["", " ", " \t\n", "\u00a0"])
@pytest.mark.parametrize(
    ("key", "attribute", "nothing"),
    [
        ("name", "name", None),
        ("first_name", "first_name", None),
        ("last_name", "last_name", None),
        ("company", "company", None),
        ("status", "provider_status", None),
        ("notes", "notes", None),
        ("external_id", "external_id", None),
        ("email", "emails", ()),
        ("phone", "phones", ()),
        ("mobile", "phones", ()),
    ],
)
def test_a_blank_text_of_gately_is_none(run, key, attribute, nothing, blank):
    body = documented(GATELY, "get_response")
    for phone in {"phone", "mobile"} - {key}:
        body = changed(body, phone, to=None)
    assert getattr(run(answered_by(GATELY, changed(body, key, to=blank)).read("1")), attribute) == nothing
    assert getattr(run(answered_by(GATELY, changed(body, key, to=f"a{blank}")).read("1")), attribute) != nothing


def test_a_text_that_is_not_utf8_is_unreadable(run):
    body = documented(GATELY, "get_response").replace(b"Ines Aalto", b"Ines \xff")
    assert unreadable(run, GATELY, "get_response", body) == "The answer could not be read: the body is not JSON."


def listed_with_slots(run, item, *, raw=True):
    body = b'{"data": [' + item + b'], "next_cursor": null}'
    request = PageRequest(limit=5, wanted=frozenset({Field.CUSTOM_FIELDS}), raw=raw)
    (record,) = run(answered_by(COMETLY, body).list_page(request)).records
    return record.custom_fields


def test_slots_on_the_item_are_decoded_as_strictly_as_nested_ones(run):
    """docs/providers/cometly.md, ambiguity 13: the slots may stand in either place."""
    with pytest.raises(ReplyUnreadable):
        listed_with_slots(run, b'{"id": 1, "custom_fields": {"profile_field_1": ["Gold"]}}')
    with pytest.raises(ReplyUnreadable):
        listed_with_slots(run, b'{"id": 1, "profile_field_1": ["Gold"]}')


@pytest.mark.parametrize("raw", [True, False])
def test_slots_on_the_item_are_found_whether_the_item_is_wanted_as_it_was_sent_or_not(run, raw):
    assert listed_with_slots(run, b'{"id": 1, "profile_field_1": "Gold"}', raw=raw) == {"tier": "Gold"}


@pytest.mark.parametrize("unknown", [b"1e400", b'"\xff"'])
def test_an_odd_value_of_an_unknown_field_breaks_nothing_beside_slots_on_the_item(run, unknown):
    """No foreign exception may leave the connector: such an item is read, or it is unreadable."""
    try:
        assert listed_with_slots(run, b'{"id": 1, "profile_field_1": "Gold", "x": ' + unknown + b"}") == {
            "tier": "Gold"
        }
    except ReplyUnreadable:
        return
