"""What every connector promises, held against the real simulators over real sockets.

Driven by the registry: a new provider is covered as soon as it stands in `samples.py`. One long module,
so that there is one place to look up what a connector has to do.
"""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace

from gateway.connectors.base import NOT_HELD, ContactFilter, PageRequest
from gateway.connectors.registry import REGISTRY
from gateway.connectors.screening import screen
from gateway.domain.changes import Changes, Draft, Patch, WantedTags
from gateway.domain.contact import CONTACT_FIELDS, LIST_FIELDS, ContactStatus, Field, PhoneType, Provider, Record
from gateway.domain.errors import ClearUnsupported, InvalidInput, OperationUnsupported, RecordNotFound
from gateway.domain.exchange import CallKind
from gateway.domain.writes import WarningCode, WriteAction, WriteWarning
from tests.connectors.samples import FIRST, SAMPLES, SECOND
from tests.domain.wanted import address, custom_fields, emails, phone

NAMES = frozenset({Field.NAME, Field.FIRST_NAME, Field.LAST_NAME})
STATUSES = frozenset({Field.STATUS, Field.KLEN_STATUS})
MENTIONABLE = tuple(FIRST)


def pairs(name, things, applies):
    """Every provider with every thing for which `applies(capabilities, thing)`."""
    chosen = [
        pytest.param(entry, thing, id=f"{entry.provider}-{thing}")
        for entry in REGISTRY
        for thing in things
        if applies(entry.capabilities, thing)
    ]
    return pytest.mark.parametrize(("registration", name), chosen, indirect=["registration"])


@pytest.fixture
def sample(registration):
    return SAMPLES[registration.provider]


@pytest.fixture
def capabilities(registration):
    return registration.capabilities


def holding(kind: type[Changes], values: dict[Field, Any]) -> Any:
    return kind(**{field.attribute: value for field, value in values.items()})


def required(capabilities, *, but: Field | None = None) -> dict[Field, Any]:
    needed = [field for field in FIRST if capabilities.of(field).required_on_create and field is not but]
    return {field: FIRST[field] for field in needed}


def is_empty(value: Any) -> bool:
    return value is None or value == () or value == {}


def created(connector, run, values: dict[Field, Any]) -> Record:
    """A record made of what the provider can hold of these values."""
    screened = screen(holding(Draft, values), connector.capabilities)
    return run(connector.create(screened.changes))


def full(connector, run) -> Record:
    return created(connector, run, FIRST)


def updated(connector, run, remote_id: str, values: dict[Field, Any]):
    screened = screen(holding(Patch, values), connector.capabilities)
    assert screened.refusal is None
    return run(connector.update(remote_id, screened.changes))


def state(log) -> Any:
    """All that the simulated provider holds, its time stamps left out."""
    held = copy.deepcopy(log.simulator.describe_contacts())
    for contact in held:
        contact.pop("updated_at", None)
    return held


# Operations


def calls_of(sample) -> dict[CallKind, Callable[[Any, str], Any]]:
    """How each operation is asked for, of a record that exists."""
    return {
        CallKind.CREATE: lambda connector, _: connector.create(
            holding(Draft, required(connector.capabilities) | {Field.EMAILS: SECOND[Field.EMAILS]})
        ),
        CallKind.READ: lambda connector, remote_id: connector.read(remote_id),
        CallKind.LIST: lambda connector, _: connector.list_page(PageRequest(limit=5)),
        CallKind.UPDATE: lambda connector, remote_id: connector.update(
            remote_id, Patch(emails=emails("third@aalto.test", primary=0))
        ),
        CallKind.DELETE: lambda connector, remote_id: connector.delete(remote_id),
        CallKind.FIND_BY_EMAIL: lambda connector, _: connector.find_by_email("ines@aalto.test"),
    }


@pytest.mark.parametrize("kind", CallKind)
def test_an_operation_works_or_is_refused_without_a_call(kind, connector, capabilities, sample, sandbox, log, run):
    remote_id = sample.add_full_record(sandbox)
    before = state(log)
    call = calls_of(sample)[kind]
    if kind in capabilities.operations:
        run(call(connector, remote_id))
        assert log.requests != []
        assert (state(log) != before) is kind.writes
    else:
        with pytest.raises(OperationUnsupported) as refused:
            run(call(connector, remote_id))
        assert refused.value.fault.provider is capabilities.provider
        assert log.requests == []
        assert state(log) == before


def test_every_provider_is_registered_once():
    assert [entry.provider for entry in REGISTRY] == [entry.capabilities.provider for entry in REGISTRY]
    assert {entry.provider for entry in REGISTRY} == set(Provider)
    assert len(REGISTRY) == len(Provider)


def test_a_connector_shows_the_capabilities_of_its_registration(connector, capabilities):
    assert connector.capabilities is capabilities


# Headers


def test_every_request_carries_the_documented_headers(connector, capabilities, sample, sandbox, log, run):
    remote_id = sample.add_full_record(sandbox)
    for kind, call in calls_of(sample).items():
        if kind in capabilities.operations and kind is not CallKind.DELETE:
            run(call(connector, remote_id))
    if CallKind.DELETE in capabilities.operations:
        run(connector.delete(remote_id))
    assert {request.operation for request in log.requests} >= {"create", "read", "list", "update"}
    for request in log.requests:
        expected = sample.headers | (sample.body_headers if request.body is not None else {})
        assert {name: request.headers.get(name) for name in expected} == expected, request
        assert "api_key" not in request.query


# Ids


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ".",
        "..",
        "../contacts",
        "1/..",
        "1/update",
        "%2e%2e",
        "1%2F2",
        "1?limit=1",
        "1#x",
        "1\n",
        "\n1",
        " 1",
        "1 ",
        "1\\2",
        "-",
        "-1",
        "１",
        "é",
        "1;2",
        "1,2",
        "1\0",
        "x" * 200,
    ],
)
def test_what_would_change_the_url_is_no_id(text, connector):
    assert connector.id_problem(text) is not None


def test_a_reserved_word_is_no_id(connector, sample):
    assert [word for word in sample.reserved_ids if connector.id_problem(word) is None] == []


def test_every_id_that_the_provider_gave_is_an_id(connector, log, run):
    records = run(connector.list_page(PageRequest(limit=50))).records
    assert records != ()
    assert [record.key for record in records if connector.id_problem(record.key.remote_id)] == []


@pairs("kind", [CallKind.READ, CallKind.UPDATE, CallKind.DELETE], lambda can, kind: kind in can.operations)
def test_an_unknown_id_is_not_found(kind, connector, sample, log, run):
    with pytest.raises(RecordNotFound) as failed:
        run(calls_of(sample)[kind](connector, sample.unknown_id))
    assert (failed.value.outcome, failed.value.retryable) == ("NOT_APPLIED", False)
    assert log.calls[-1].split()[1].startswith(f"/contacts/{sample.unknown_id}")


# What the capabilities say of reading


def test_a_full_record_knows_and_shows_exactly_the_readable_fields(connector, capabilities, sample, sandbox, run):
    record = run(connector.read(sample.add_full_record(sandbox)))
    readable = {field for field in CONTACT_FIELDS if capabilities.of(field).readable}
    assert record.known == readable
    assert {field for field in CONTACT_FIELDS if not is_empty(record.value(field))} == readable


def test_a_read_keeps_the_providers_own_json(connector, sample, sandbox, run):
    record = run(connector.read(sample.add_full_record(sandbox)))
    assert str(json.loads(record.raw)["id"]) == record.key.remote_id


def test_a_list_item_keeps_the_providers_own_json(connector, run):
    for record in run(connector.list_page(PageRequest(limit=5))).records:
        assert str(json.loads(record.raw)["id"]) == record.key.remote_id


def test_items_are_cut_out_of_their_page_only_for_whoever_wants_that(connector, run):
    cut, whole = (run(connector.list_page(PageRequest(limit=5, raw=raw))).records for raw in (True, False))
    assert [record.raw for record in whole] == [None] * len(cut) != []
    fetched_at = cut[0].fetched_at
    assert [replace(record, raw=None, fetched_at=fetched_at) for record in cut] == [
        replace(record, fetched_at=fetched_at) for record in whole
    ]


def test_a_summary_shows_nothing_that_it_does_not_know(connector, run):
    for record in run(connector.list_page(PageRequest(limit=100))).records:
        shown = {field for field in CONTACT_FIELDS if not is_empty(record.value(field))}
        assert shown - record.known == set()


def test_a_summary_tells_the_same_as_the_details(connector, log, run):
    for record in run(connector.list_page(PageRequest(limit=100))).records:
        details = run(connector.read(record.key.remote_id)).informed_by(record)
        known = {field: record.value(field) for field in record.known}
        assert {field: details.value(field) for field in record.known} == known


# What the capabilities say of creating


@pytest.mark.parametrize("field", MENTIONABLE)
def test_a_field_is_writable_where_a_creation_sends_it(field, connector, capabilities):
    without = required(capabilities, but=field)
    draft = holding(Draft, without | {field: FIRST[field]})
    screened = screen(draft, capabilities)
    planned = connector.plan_create(screened.changes)
    bare = connector.plan_create(holding(Draft, without))
    assert planned.problems == ()
    assert (planned.body != bare.body) is capabilities.of(field).writable
    assert (screened.changes.value(field) is not UNSET) is capabilities.of(field).writable
    # Nor does the mapping write what the capabilities do not tell of.
    assert (connector.plan_create(draft).body != bare.body) is capabilities.of(field).writable


@pytest.mark.parametrize("field", MENTIONABLE)
def test_what_a_creation_cannot_hold_is_said_to_be_dropped(field, capabilities):
    screened = screen(holding(Draft, {field: FIRST[field]}), capabilities)
    silent = capabilities.of(field).writable or field.value.startswith("klen.")
    assert screened.refusal is None
    assert [(one.code, one.field) for one in screened.warnings if one.field == field.input_path] == (
        [] if silent else [(WarningCode.FIELD_DROPPED, field.input_path)]
    )


@pytest.mark.parametrize("field", MENTIONABLE)
def test_a_required_field_that_is_left_out_is_a_problem(field, connector, capabilities):
    planned = connector.plan_create(holding(Draft, required(capabilities, but=field)))
    found = [(one.path, one.code, one.provider) for one in planned.problems]
    needed = [(field.input_path, "REQUIRED", capabilities.provider)]
    assert found == (needed if capabilities.of(field).required_on_create else [])


def test_a_creation_without_anything_names_every_required_field(connector, capabilities):
    planned = connector.plan_create(Draft())
    assert [one.path for one in planned.problems] == [field.input_path for field in required(capabilities)]


def test_what_no_write_can_mention_is_read_only(capabilities):
    for field in set(Field) - set(MENTIONABLE):
        can = capabilities.of(field)
        assert (can.writable, can.updatable, can.clearable, can.required_on_create) == (False,) * 4


# What the capabilities say of updating


@pytest.mark.parametrize("field", MENTIONABLE)
def test_a_field_is_updatable_where_an_update_sends_it(field, connector, capabilities, log, run):
    record = full(connector, run)
    before = state(log)
    log.clear()
    outcome = updated(connector, run, record.key.remote_id, {field: SECOND[field]})
    can = capabilities.of(field).updatable
    assert outcome.action is (WriteAction.UPDATED if can else WriteAction.UNCHANGED)
    assert (log.writes != []) is can
    assert (state(log) != before) is can


@pairs("field", MENTIONABLE, lambda can, field: not can.of(field).updatable)
def test_the_mapping_sends_nothing_that_is_not_updatable(field, connector, log, run):
    record = full(connector, run)
    log.clear()
    assert run(connector.update(record.key.remote_id, holding(Patch, {field: SECOND[field]}))).action is (
        WriteAction.UNCHANGED
    )
    assert log.writes == []


# What an update does there is told by the tests of that provider.
NOT_AS_WRITTEN = {
    # Nothing removes the other number.
    (Provider.KLEN, Field.PHONES),
    # Names are newest first when read, and which name of one write is the newest is not documented.
    (Provider.COMETLY, Field.NAME),
}


@pairs(
    "field",
    MENTIONABLE,
    lambda can, field: (
        can.of(field).updatable and can.of(field).readable and (can.provider, field) not in NOT_AS_WRITTEN
    ),
)
def test_an_updated_field_reads_back_as_written(field, connector, capabilities, run):
    key = full(connector, run).key
    updated(connector, run, key.remote_id, {field: SECOND[field]})
    assert shown(field, run(connector.read(key.remote_id))) == wanted(field, SECOND[field], capabilities)


@pairs("field", MENTIONABLE, lambda can, field: can.of(field).updatable)
def test_an_update_leaves_alone_what_it_does_not_mention(field, connector, run):
    key = full(connector, run).key
    before = run(connector.read(key.remote_id))
    updated(connector, run, key.remote_id, {field: SECOND[field]})
    after = run(connector.read(key.remote_id))
    touched = {field, Field.UPDATED_AT} | next((group for group in (NAMES, STATUSES) if field in group), frozenset())
    untouched = [other for other in CONTACT_FIELDS if other not in touched]
    assert {other: after.value(other) for other in untouched} == {other: before.value(other) for other in untouched}


def test_an_update_of_nothing_calls_nobody(connector, run, log):
    key = full(connector, run).key
    log.clear()
    outcome = run(connector.update(key.remote_id, Patch()))
    assert (outcome.action, outcome.record.key, outcome.warnings) == (WriteAction.UNCHANGED, key, ())
    assert log.requests == []


# What the capabilities say of clearing


@pytest.mark.parametrize("field", MENTIONABLE)
def test_null_clears_is_refused_or_says_nothing_as_the_capabilities_tell(field, connector, capabilities, log, run):
    can = capabilities.of(field)
    key = full(connector, run).key
    before = state(log)
    log.clear()
    screened = screen(holding(Patch, {field: None}), capabilities)
    if can.clearable:
        assert (screened.refusal, screened.warnings) == (None, ())
        assert run(connector.update(key.remote_id, screened.changes)).action is WriteAction.UPDATED
        assert state(log) != before
        if can.readable:
            assert is_empty(run(connector.read(key.remote_id)).value(field))
        return
    assert log.requests == []
    if can.held and not can.read_only:
        assert type(screened.refusal) is ClearUnsupported
        assert screened.refusal.fault.field == field.input_path
        return
    assert (screened.refusal, screened.changes) == (None, Patch())
    assert [one.field for one in screened.warnings] == ([field.input_path] if can.read_only else [])


# What the capabilities say of lists


@pairs("field", sorted(LIST_FIELDS), lambda can, field: can.of(field).writable)
def test_a_list_keeps_max_items_and_says_which_it_drops(field, connector, capabilities, log, run):
    can = capabilities.of(field)
    many = {
        Field.EMAILS: emails(*(f"ines{n}@aalto.test" for n in range(5)), primary=1),
        Field.PHONES: tuple(
            phone(number, PhoneType.MOBILE if n % 2 else PhoneType.OTHER, position=n, primary=n == 1, e164=number)
            for n, number in enumerate(f"+35840000000{n}" for n in range(5))
        ),
        Field.ADDRESSES: tuple(address(city=f"City {n}", country="IE", position=n, primary=n == 1) for n in range(5)),
        Field.TAGS: WantedTags(whole=("A", "B", "C", "D", "E")),
    }
    screened = screen(holding(Draft, required(capabilities) | {field: many[field]}), capabilities)
    planned = connector.plan_create(screened.changes)
    kept = can.max_items or 5
    assert len(run(connector.read(run(connector.create(screened.changes)).key.remote_id)).value(field)) == kept
    dropped = [one for one in screened.warnings + planned.warnings if one.code is WarningCode.FIELD_DROPPED]
    assert len({one.field for one in dropped}) == len(dropped) == 5 - kept
    assert {one.field[:2] for one in dropped} == ({field.input_path} if dropped else set())


# Round trip


def wanted(field: Field, value: Any, capabilities) -> Any:
    """What reading has to show of a written value; lists as sets, since no order is promised."""
    match field:
        case Field.EMAILS:
            return {email.address for email in value}
        case Field.PHONES:
            return {item.e164 or item.number for item in value}
        case Field.ADDRESSES:
            return {item.one_line for item in value}
        case Field.TAGS:
            return set(value.whole)
        case Field.CUSTOM_FIELDS:
            return dict(value.values)
    return value


def shown(field: Field, record: Record) -> Any:
    value = record.value(field)
    match field:
        case Field.EMAILS:
            return {email.address for email in value}
        case Field.PHONES:
            return {item.e164 or item.number for item in value}
        case Field.ADDRESSES:
            return {item.formatted for item in value}
        case Field.TAGS:
            return set(value)
    return value


def without_dropped(field: Field, value: Any, warnings: tuple[WriteWarning, ...]) -> Any:
    """The value without the items and keys that a warning says are dropped."""
    dropped = {one.field[2] for one in warnings if one.field[:2] == field.input_path and len(one.field) == 3}
    if field is Field.CUSTOM_FIELDS:
        return replace(value, values={key: item for key, item in value.values.items() if key not in dropped})
    if field in (Field.EMAILS, Field.PHONES, Field.ADDRESSES):
        return tuple(item for item in value if str(item.position) not in dropped)
    return value


def assert_round_trip(connector, capabilities, run, draft: Draft) -> None:
    screened = screen(draft, capabilities)
    planned = connector.plan_create(screened.changes)
    assert planned.problems == ()
    warnings = tuple(one for one in screened.warnings + planned.warnings if one.code is WarningCode.FIELD_DROPPED)
    record = run(connector.read(run(connector.create(screened.changes)).key.remote_id))
    whole = {one.field for one in warnings}
    promised = [
        field
        for field in draft.mentioned
        if capabilities.of(field).writable and capabilities.of(field).readable and field.input_path not in whole
    ]
    expected = {
        field: wanted(field, without_dropped(field, draft.value(field), warnings), capabilities) for field in promised
    }
    assert {field: shown(field, record) for field in promised} == expected


def test_a_rich_contact_reads_back_as_written(connector, capabilities, run):
    assert_round_trip(connector, capabilities, run, holding(Draft, FIRST))


LETTERS = st.characters(exclude_categories=["Cc", "Cs", "Cn", "Co", "Zl", "Zp"])
TEXTS = st.text(LETTERS, min_size=1, max_size=20).map(str.strip).filter(bool)
SCALARS = st.booleans() | st.integers(-(2**53), 2**53) | TEXTS
FIRST_NAMES = st.sampled_from(["Ines", "Åsa", "Noor", "Jean-Luc", "O", "李"])
LAST_NAMES = st.sampled_from(["Aalto", "Öst", "Haddad", "O'Neil"])
TYPES_OF_PHONES = st.sampled_from([None, *PhoneType])


@st.composite
def drafts(draw: st.DrawFn) -> Draft:
    """Contacts as callers make them, already normalised; consistent names, any of the other fields."""
    first, last = draw(FIRST_NAMES), draw(LAST_NAMES)
    optional: dict[Field, st.SearchStrategy[Any]] = {
        Field.NAME: st.just(f"{first} {last}"),
        Field.FIRST_NAME: st.just(first),
        Field.LAST_NAME: st.just(last),
        Field.PHONES: st.lists(
            st.tuples(st.sampled_from(["+358400000001", "+353210000001", "+16175550100"]), TYPES_OF_PHONES),
            min_size=1,
            unique_by=lambda pair: pair[0],
        ).map(
            lambda pairs: tuple(
                phone(number, type_, position=place, primary=place == 0, e164=number)
                for place, (number, type_) in enumerate(pairs)
            )
        ),
        Field.ADDRESSES: st.builds(
            address,
            street=st.none() | TEXTS,
            street2=st.none() | TEXTS,
            city=TEXTS,
            state=st.none() | TEXTS,
            postal_code=st.none() | TEXTS,
            country=st.sampled_from(["FI", "IE", "US"]),
            primary=st.just(True),
        ).map(lambda item: (item,)),
        Field.COMPANY: TEXTS,
        Field.WEBSITE: TEXTS,
        Field.STATUS: st.sampled_from(ContactStatus),
        Field.STAGE: st.sampled_from(["lead", "prospect", "customer"]),
        Field.TAGS: st.lists(TEXTS, min_size=1, max_size=4, unique_by=str.casefold).map(
            lambda names: WantedTags(whole=tuple(names))
        ),
        Field.NOTES: TEXTS,
        Field.CUSTOM_FIELDS: st.fixed_dictionaries(
            {},
            optional={
                "tier": TEXTS,
                "seats": st.integers(-(10**12), 10**12),
                "renewal": st.dates().map(str),
                "other": SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(TEXTS, SCALARS, max_size=2),
            },
        ).map(lambda values: custom_fields(**(values or {"tier": "gold"}))),
        Field.EXTERNAL_ID: TEXTS,
    }
    chosen = draw(st.sets(st.sampled_from(list(optional)))) | {draw(st.sampled_from([Field.NAME, Field.FIRST_NAME]))}
    address_book = st.sampled_from(["ines@aalto.test", "Ines.Aalto+new@Sub.Example", "i@x.example"])
    texts = draw(st.lists(address_book, min_size=1, max_size=3, unique=True))
    values = {field: draw(optional[field]) for field in optional if field in chosen}
    return holding(Draft, values | {Field.EMAILS: emails(*texts, primary=0)})


@given(drafts())
@settings(
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)
def test_any_contact_reads_back_as_the_capabilities_promise(connector, capabilities, sandbox, run, draft):
    sandbox.reset()
    assume(connector.plan_create(screen(draft, capabilities).changes).problems == ())
    assert_round_trip(connector, capabilities, run, draft)


def test_a_creation_tells_the_id_and_nothing_that_reading_denies(connector, run):
    record = full(connector, run)
    details = run(connector.read(record.key.remote_id)).informed_by(record)
    assert details.key == record.key
    for field in record.known:
        told, held = record.value(field), details.value(field)
        # No provider promises an order.
        assert (set(told), len(told)) == (set(held), len(held)) if isinstance(told, tuple) else told == held


# Lists


def walk(connector, run, limit: int) -> list[Record]:
    records: list[Record] = []
    token = None
    while True:
        page = run(connector.list_page(PageRequest(limit=limit, token=token)))
        assert len(page.records) <= limit
        records += page.records
        if (token := page.next_token) is None:
            return records


@pytest.mark.parametrize("limit", [3, 7, 1000])
def test_a_walk_through_the_list_loses_and_doubles_nothing(limit, connector, sample, log, run):
    keys = [record.key.remote_id for record in walk(connector, run, limit)]
    held = {str(contact["id"]) for contact in log.simulator.describe_contacts()} - sample.hidden_ids
    assert len(keys) == len(set(keys))
    assert set(keys) == held


def test_pages_of_any_size_have_one_order(connector, run):
    at_once = [record.key for record in walk(connector, run, 1000)]
    assert [record.key for record in walk(connector, run, 6)] == at_once


def test_the_total_is_right_or_not_told(connector, run):
    page = run(connector.list_page(PageRequest(limit=2)))
    assert page.total in (None, len(walk(connector, run, 100)))


@pytest.mark.parametrize(
    "token", ["", "x", "1", "1:", "0:5", "1:0", "2:99999", "1:5:5", " 2:5", "-1:5", "1|5", "9" * 40]
)
def test_a_token_of_somebody_else_is_refused_without_a_call(token, connector, log, run):
    with pytest.raises(InvalidInput) as refused:
        run(connector.list_page(PageRequest(limit=5, token=token)))
    (problem,) = refused.value.problems
    assert (problem.path, problem.code) == (("after",), "MALFORMED_CURSOR")
    assert log.requests == []


FILTERS = {
    "search": ContactFilter(search="ada"),
    "status": ContactFilter(status=ContactStatus.ACTIVE),
    "stage": ContactFilter(stage="customer"),
    "tag": ContactFilter(tag="VIP"),
}


@pairs("name", FILTERS, lambda can, name: name in can.filters)
def test_a_filter_narrows_the_list(name, connector, run):
    chosen = FILTERS[name]
    everything = walk(connector, run, 100)
    page = run(connector.list_page(PageRequest(limit=100, filter=chosen)))
    found = {record.key for record in page.records}
    assert found < {record.key for record in everything}
    match name:
        case "status":
            assert {record.status for record in page.records} == {ContactStatus.ACTIVE}
        case "stage":
            assert {record.stage for record in page.records} == {"customer"}
        case "tag":
            assert found == {record.key for record in everything if "VIP" in record.tags}
        case "search":
            assert all("ada" in f"{record.name} {record.emails}".lower() for record in page.records)


# Looking up by email


def finding(name, things):
    """Providers that look an email up, with every one of these."""
    return pairs(name, things, lambda can, _: CallKind.FIND_BY_EMAIL in can.operations)


def add_with_email(connector, run, text: str):
    return created(connector, run, FIRST | {Field.EMAILS: emails(text, primary=0)}).key


@finding("asked", ["ines@aalto.test", "INES@Aalto.TEST"])
def test_an_email_is_found_exactly_and_whatever_its_case(asked, connector, run):
    key = add_with_email(connector, run, "Ines@aalto.test")
    add_with_email(connector, run, "xines@aalto.test")
    add_with_email(connector, run, "ines@aalto.test.example")
    assert [record.key for record in run(connector.find_by_email(asked))] == [key]


@finding("text", ["ines+news@aalto.test", "o'neil&co@aalto.test", "100%@aalto.test"])
def test_an_email_with_signs_that_urls_give_a_meaning_is_found(text, connector, run):
    key = add_with_email(connector, run, text)
    assert [record.key for record in run(connector.find_by_email(text))] == [key]


@finding("text", ["nobody@aalto.test"])
def test_an_unknown_email_finds_nobody(text, connector, run):
    assert run(connector.find_by_email(text)) == ()


@finding("text", ["n@aalto.test"])
def test_an_email_is_found_behind_a_page_full_of_others(text, connector, run, log):
    key = add_with_email(connector, run, text)
    contacts = log.simulator.contacts
    wanted_one = next(contact for contact in contacts.values() if str(contact.id) == key.remote_id)
    for n in range(201):
        twin = copy.copy(wanted_one)
        twin.id = type(wanted_one.id)(700_000 + n)
        twin.email = f"{n}n@aalto.test"
        contacts[twin.id] = twin
    log.clear()
    assert [record.key for record in run(connector.find_by_email(text))] == [key]
    assert len(log.requests) > 1


def test_capabilities_of_an_unknown_field_are_none(capabilities):
    missing = [field for field in Field if field not in capabilities.fields]
    assert [field for field in missing if capabilities.of(field) != NOT_HELD] == []
