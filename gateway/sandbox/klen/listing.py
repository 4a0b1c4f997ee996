"""The Klen list call: numbered pages of summaries, filtered by stage, status, one tag or a search."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil

from gateway.sandbox.exchange import JsonObject, Received, Refusal
from gateway.sandbox.fields import positive_parameter, unknown_parameters
from gateway.sandbox.klen.contact import CLOSED_TEAM, KlenContact, KlenView
from gateway.sandbox.klen.rules import invalid
from gateway.sandbox.klen.switches import KlenSwitches

_PARAMETERS = ("stage", "status", "tag", "search", "page", "limit", "api_key")
_LONGEST_PAGE = 100


def list_page(contacts: Iterable[KlenContact], received: Received, view: KlenView) -> JsonObject:
    """The page asked for. Raises: Refusal 400 for parameters that break the documentation."""
    page, limit = _read_paging(received, view.switches)
    found = [contact for contact in contacts if _is_wanted(contact, received)]
    found.sort(key=lambda contact: contact.id, reverse=view.switches.list_order == "newest_first")
    shown = found[(page - 1) * limit : page * limit]
    return {
        "count": len(found),
        "page": page,
        "limit": limit,
        "pages": ceil(len(found) / limit),
        "contacts": [view.item(contact) for contact in shown],
    }


def _read_paging(received: Received, switches: KlenSwitches) -> tuple[int, int]:
    query = received.query
    if switches.unknown_fields == "refused" and (odd := unknown_parameters(query, _PARAMETERS)):
        raise invalid(*odd)
    page = positive_parameter(query, "page", default=1)
    limit = positive_parameter(query, "limit", default=25)
    too_long = limit is not None and limit > _LONGEST_PAGE and switches.limit_above_maximum == "refused"
    if page is None or limit is None or too_long:
        raise Refusal(400, "page must be from 1, limit from 1 to 100", code="validation_error")
    return page, min(limit, _LONGEST_PAGE)


def _is_wanted(contact: KlenContact, received: Received) -> bool:
    query = received.query
    if contact.team_id == CLOSED_TEAM:
        return False
    if query.get("stage", contact.stage) != contact.stage or query.get("status", contact.status) != contact.status:
        return False
    if "tag" in query and query["tag"] not in contact.tags:
        return False
    wanted = query.get("search", "").casefold()
    places = (contact.first_name, contact.last_name, contact.email)
    return any(wanted in (place or "").casefold() for place in places)
