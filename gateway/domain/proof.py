"""Whether an update that nobody answered stands in the record; pure.

As strict as gateway.domain.echo is generous: there a doubt says nothing, here it may not pass for the update itself.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec import structs

from gateway.domain.changes import Changes, WantedAddress, WantedCustomFields, WantedEmail, WantedPhone, WantedTags
from gateway.domain.compare import text_key
from gateway.domain.contact import Address, Email, Field, Phone, PhoneType, Record
from gateway.domain.echo import is_shown
from gateway.domain.same_json import is_empty
from gateway.domain.writes import WriteWarning


def proven(changes: Changes, record: Record, warned: Iterable[WriteWarning], *, keeps_numbers: bool = False) -> bool:
    """Whether every mentioned field demonstrably stands in the record exactly as it was wanted. What the record does
    not show proves nothing. `warned` is what was said of this write before: a type of number that the provider
    keeps no word for is not looked for. With `keeps_numbers` others may stand beside the wanted ones: the provider
    does not take away what a new list leaves out."""
    sent = _as_sent(changes, {warning.field for warning in warned})
    shown = _without_kept(sent, record) if keeps_numbers else record
    return all(is_shown(field, sent, shown) and _stands(field, sent, shown) for field in sent.mentioned)


def _without_kept(changes: Changes, record: Record) -> Record:
    if not changes.phones:
        return record
    wanted = {_number(one) for one in changes.phones}
    return structs.replace(record, phones=tuple(one for one in record.phones or () if one.comparable in wanted))


def _as_sent(changes: Changes, paths: set[tuple[str, ...]]) -> Changes:
    if not changes.phones:
        return changes
    untyped = {place for place in range(len(changes.phones)) if _type_path(changes.phones[place]) in paths}
    phones = tuple(
        structs.replace(one, type=None) if place in untyped else one for place, one in enumerate(changes.phones)
    )
    return structs.replace(changes, phones=phones)


def _type_path(phone: WantedPhone) -> tuple[str, ...]:
    return (*Field.PHONES.input_path, str(phone.position), "type")


def _stands(field: Field, changes: Changes, record: Record) -> bool:
    wanted = changes.value(field)
    stored = record.provider_status if field is Field.KLEN_STATUS else record.value(field)
    if wanted is None:
        return stored is False or is_empty(stored)
    if field is Field.NAME and Field.FIRST_NAME not in record.known:
        # Cometly keeps several names and does not tell which of them counts.
        return False
    return _JUDGES.get(field, _same)(wanted, stored)


def _same(wanted: Any, stored: Any) -> bool:
    return bool(wanted == stored)


def _emails_stand(wanted: Sequence[WantedEmail], stored: Sequence[Email] | None) -> bool:
    there = {one.address: one.primary for one in stored or ()}
    return there.keys() == {one.address for one in wanted} and _primary_stands(
        [one.primary for one in wanted], [there[one.address] for one in wanted]
    )


def _phones_stand(wanted: Sequence[WantedPhone], stored: Sequence[Phone] | None) -> bool:
    there = {one.comparable: one for one in stored or ()}
    pairs = [(one, there.get(_number(one))) for one in wanted]
    found = [shown for _, shown in pairs if shown is not None]
    return (
        len(found) == len(wanted) == len(there)
        and all(shown is not None and _phone_stands(one, shown) for one, shown in pairs)
        and _primary_stands([one.primary for one in wanted], [shown.primary for shown in found])
    )


def _number(wanted: WantedPhone) -> str:
    return Phone(number=wanted.number, e164=wanted.e164, type=PhoneType.OTHER).comparable


def _phone_stands(wanted: WantedPhone, stored: Phone) -> bool:
    return wanted.type in (None, stored.type) and wanted.do_not_call in (None, stored.do_not_call)


def _primary_stands(wanted: Sequence[bool], stored: Sequence[bool]) -> bool:
    """Of one item there is no question; of several the provider has to tell which one is primary."""
    return len(wanted) == 1 or list(wanted) == list(stored)


def _addresses_stand(wanted: Sequence[WantedAddress], stored: Sequence[Address] | None) -> bool:
    return (
        sorted(one.one_line for one in wanted)
        == sorted(
            one.without_country
            if one.country_may_be_default and not any(each.country for each in wanted)
            else one.formatted
            for one in stored or ()
        )
        and len(wanted) == 1
    )


def _tags_stand(wanted: WantedTags, stored: Sequence[str] | None) -> bool:
    there = set(stored or ())
    if wanted.whole is not None:
        return there == set(wanted.whole)
    gone = {text_key(tag) for tag in wanted.remove}
    return there >= set(wanted.add) and not gone & {text_key(tag) for tag in there}


def _custom_fields_stand(wanted: WantedCustomFields, stored: Mapping[str, Any] | None) -> bool:
    shown = dict(stored or {})
    judged = {key: value for key, value in shown.items() if key in wanted.values} if wanted.merge else shown
    return _text(_filled(wanted.values)) == _text(_filled(judged))


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


_JUDGES: Mapping[Field, Callable[[Any, Any], bool]] = {
    Field.EMAILS: _emails_stand,
    Field.PHONES: _phones_stand,
    Field.ADDRESSES: _addresses_stand,
    Field.TAGS: _tags_stand,
    Field.CUSTOM_FIELDS: _custom_fields_stand,
    Field.UNSUBSCRIBED: lambda wanted, stored: wanted is bool(stored),
}
