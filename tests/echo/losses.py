"""How each simulator is made to lose one field of one contact, as if it had never taken it.

A new provider gets an entry in LOSSES and nothing else.
"""

from collections.abc import Callable
from typing import Any

from gateway.domain.contact import Field, Provider
from gateway.sandbox.cometly.profile import Values


def emptied(*attributes: str, to: Any = None) -> Callable[[Any], None]:
    def lose(contact: Any) -> None:
        for attribute in attributes:
            setattr(contact, attribute, to() if callable(to) else to)

    return lose


def last_dropped(attribute: str) -> Callable[[Any], None]:
    """One item of a list is lost, the others stay."""

    def lose(contact: Any) -> None:
        getattr(contact, attribute).pop()

    return lose


def one_key_lost(attribute: str) -> Callable[[Any], None]:
    def lose(contact: Any) -> None:
        values = getattr(contact, attribute)
        del values[next(iter(values))]

    return lose


LOSSES: dict[Provider, dict[Field, list[Callable[[Any], None]]]] = {
    Provider.GATELY: {
        Field.FIRST_NAME: [emptied("first_name"), emptied("first_name", to="Somebody")],
        Field.LAST_NAME: [emptied("last_name")],
        Field.EMAILS: [emptied("email", to="somebody@else.test")],
        Field.PHONES: [emptied("mobile"), emptied("mobile", to="+447700900999")],
        Field.ADDRESSES: [emptied("city"), emptied("country", to="SE")],
        Field.COMPANY: [emptied("company"), emptied("company", to="Somewhere Else")],
        Field.STATUS: [emptied("status"), emptied("status", to="archived")],
        Field.TAGS: [emptied("tags", to=list), last_dropped("tags")],
        Field.NOTES: [emptied("notes"), emptied("notes", to="Asked")],
        Field.CUSTOM_FIELDS: [emptied("custom_fields", to=dict), one_key_lost("custom_fields")],
        Field.UNSUBSCRIBED: [emptied("unsubscribed", to=False)],
        Field.EXTERNAL_ID: [emptied("external_id")],
    },
    Provider.COMETLY: {
        Field.NAME: [emptied("names", to=Values)],
        Field.EMAILS: [emptied("emails", to=Values), emptied("emails", to=lambda: Values(["somebody@else.test"]))],
        Field.PHONES: [emptied("phones", to=Values), emptied("phones", to=lambda: Values(["+447700900999"]))],
        Field.ADDRESSES: [emptied("locations", to=Values), emptied("locations", to=lambda: Values(["Turku"]))],
        Field.CUSTOM_FIELDS: [emptied("custom_fields", to=dict), one_key_lost("custom_fields")],
    },
    Provider.KLEN: {
        Field.FIRST_NAME: [emptied("first_name", to="Somebody")],
        Field.LAST_NAME: [emptied("last_name")],
        Field.EMAILS: [emptied("email")],
        Field.PHONES: [emptied("phone_numbers", to=list), last_dropped("phone_numbers")],
        Field.ADDRESSES: [emptied("address"), emptied("city"), emptied("country", to="SE")],
        Field.COMPANY: [emptied("company")],
        Field.WEBSITE: [emptied("website")],
        Field.STATUS: [emptied("status", to="")],
        Field.STAGE: [emptied("stage", to="lead")],
        Field.TAGS: [emptied("tags", to=list), last_dropped("tags")],
        Field.CUSTOM_FIELDS: [emptied("custom_context", to=dict), one_key_lost("custom_context")],
        Field.KLEN_STATUS: [emptied("status", to="lost")],
    },
}
"""NAME stands here only where the provider keeps it apart from its parts and the record shows none of them."""
