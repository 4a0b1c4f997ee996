"""How several records become one contact: precedence for single values, union for lists, and the honest null.

Rules: design sections 3 and 5. Everything here is pure and takes its records in order of precedence.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gateway.domain.compare import text_key
from gateway.domain.contact import Address, Field, Phone, Record, RecordKey
from gateway.domain.errors import ProviderFailure


class Answer(Struct, frozen=True, kw_only=True):
    """What came of asking a provider for one record: the record, its failure, or neither when it is gone.

    `age_seconds` is how old a record is that was kept from before; `stale_because` is the failure whose place it takes.
    """

    key: RecordKey
    record: Record | None = None
    failure: ProviderFailure | None = None
    latency_ms: int = 0
    age_seconds: int | None = None
    stale_because: ProviderFailure | None = None

    @property
    def gone(self) -> bool:
        return self.record is None and self.failure is None


def unified(field: Field, answers: Sequence[Answer]) -> Any:
    """One field of the contact, from the answers of every record whose provider can hold it.

    Returns:
        The value. None only when every such provider answered and none had one.

    Raises:
        ProviderFailure: the first one, when nothing was found and a provider that could have held
            the value failed. A list that would come out empty counts as nothing.
    """
    if len(answers) == 1 and (record := answers[0].record) is not None:
        return of_one(field, record.value(field))
    values = [answer.record.value(field) for answer in answers if answer.record is not None]
    found = _UNITE.get(field, _first)([value for value in values if value is not None])
    if found is None or found == () or found == {}:
        for answer in answers:
            if answer.failure is not None:
                raise answer.failure
    return found


def of_one(field: Field, value: Any) -> Any:
    """One field of a contact that only one record is asked for; None where that has no value."""
    if value is None or field not in UNITED_FIELDS or len(value) < 2:
        return value
    return _UNITE[field]([value])


def _first(values: list[Any]) -> Any:
    return values[0] if values else None


def _keep_first(first: Any, _: Any) -> Any:
    return first


def _keep_do_not_call(first: Phone, other: Phone) -> Phone:
    """A mark against calling a number counts whoever holds it; a provider without marks says nothing."""
    marks = [mark for mark in (first.do_not_call, other.do_not_call) if mark is not None]
    return replace(first, do_not_call=any(marks)) if marks else first


def _unite(
    key_of: Callable[[Any], Hashable], join: Callable[[Any, Any], Any] = _keep_first
) -> Callable[[list[Any]], tuple[Any, ...] | None]:
    """Lists without duplicates; the primary is that of the first list that has one."""

    def unite(lists: list[Iterable[Any]]) -> tuple[Any, ...] | None:
        if not lists:
            return None
        if len(lists) == 1 and _is_united(key_of, items := tuple(lists[0])):
            return items
        united: dict[Hashable, Any] = {}
        primary: Hashable = None
        for item in (item for items in lists for item in items):
            key = key_of(item)
            united[key] = join(united[key], item) if key in united else item
            if primary is None and item.primary:
                primary = key
        return tuple(
            item if item.primary == (key == primary) else replace(item, primary=key == primary)
            for key, item in united.items()
        )

    return unite


def _is_united(key_of: Callable[[Any], Hashable], items: tuple[Any, ...]) -> bool:
    """Whether no item is there twice, and not more than one primary: nearly every list of one record."""
    if len(items) < 2:
        return True
    if len(items) == 2:
        one, other = items
        return not (one.primary and other.primary) and key_of(one) != key_of(other)
    return len(set(map(key_of, items))) == len(items) and sum(map(_primary_of, items)) < 2


_normalized_of, _comparable_of, _primary_of = attrgetter("normalized"), attrgetter("comparable"), attrgetter("primary")
_unite_lines = _unite(lambda address: text_key(address.formatted))


def _unite_addresses(lists: list[Iterable[Address]]) -> tuple[Address, ...] | None:
    """An address whose country may only be a provider's default is the same as one without it."""
    certain = {
        text_key(address.without_country): address
        for address in (address for addresses in lists for address in addresses)
        if not address.country_may_be_default
    }

    def settled(address: Address) -> Address:
        twin = certain.get(text_key(address.without_country)) if address.country_may_be_default else None
        return replace(twin, primary=address.primary) if twin else address

    return _unite_lines([[settled(address) for address in addresses] for addresses in lists])


def _unite_tags(lists: list[Iterable[str]]) -> tuple[str, ...] | None:
    if not lists:
        return None
    united: dict[str, str] = {}
    for tag in (tag for tags in lists for tag in tags):
        united.setdefault(text_key(tag), tag)
    return tuple(united.values())


def _merge_objects(objects: list[Mapping[str, Any]]) -> dict[str, Any] | None:
    if not objects:
        return None
    if len(objects) == 1:
        return dict(objects[0])
    merged: dict[str, Any] = {}
    for key, value in (pair for item in objects for pair in item.items()):
        if merged.get(key) is None:
            merged[key] = value
    return merged


_UNITE: Mapping[Field, Callable[[list[Any]], Any]] = {
    Field.EMAILS: _unite(_normalized_of),
    Field.PHONES: _unite(_comparable_of, _keep_do_not_call),
    Field.ADDRESSES: _unite_addresses,
    Field.TAGS: _unite_tags,
    Field.CUSTOM_FIELDS: _merge_objects,
}

UNITED_FIELDS = frozenset(_UNITE)
"""The fields to which every record adds; of any other field the first value counts."""

UNITED_ALONE: Mapping[Field, Callable[[tuple[Any, ...]], bool]] = {
    Field.EMAILS: partial(_is_united, _normalized_of),
    # Numbers of different E.164 are different ones. Two without any may be the same one: of them it is not sure.
    Field.PHONES: partial(_is_united, attrgetter("e164")),
    Field.ADDRESSES: lambda _: False,
    Field.TAGS: lambda _: False,
}
"""By field: whether several items that one record lists are surely what a contact of it alone tells."""
