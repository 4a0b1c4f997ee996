"""What the upstream answers in the three providers' own words, as templates that any server can render.

Source: docs/providers. `<id>` in a text and `"<number>"` stand for the id that was asked for, or for a new one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

# Sizes of Gately's list that are there to be asked for.
LIST_LENGTHS = (1, 3, 10, 30, 100)
FIRST_LISTED = 5_000_001

GATELY_CONTACT: dict[str, Any] = {
    "id": "<id>",
    "project_id": "5b1e0c1a-0000-4000-8000-000000000001",
    "name": "Ada Aalto <id>",
    "first_name": "Ada",
    "last_name": "Aalto <id>",
    "email": "ada.<id>@bench.test",
    "phone": "+358 9 4245 0001",
    "mobile": "+358 40 123 4567",
    "company": "Northwind Oy",
    "status": "active",
    "notes": "Asked for a demo",
    "address_line_1": "Aleksanterinkatu 1",
    "city": "Helsinki",
    "zip": "00100",
    "country": "FI",
    "custom_fields": {"tier": "gold", "seats": 12},
    "external_id": "crm-<id>",
    "unsubscribed": False,
    "tags": [{"id": "9a7c", "name": "Beta", "color": "#336699", "created_at": "2031-01-01T00:00:00.000Z"}],
    "last_contacted_at": "2031-02-10T09:00:00.000Z",
    "created_at": "2031-01-15T12:00:00.000Z",
    "updated_at": "2031-02-10T09:00:00.000Z",
}
# A list item that names both phones, so that no details are needed for them.
GATELY_ITEM = {
    key: value
    for key, value in GATELY_CONTACT.items()
    if key not in ("first_name", "last_name", "notes", "address_line_1", "city", "zip", "country", "external_id")
}
GATELY_CREATED: dict[str, Any] = {
    "id": "<id>",
    "project_id": "5b1e0c1a-0000-4000-8000-000000000001",
    "name": "Ines Aalto",
    "email": "ines@bench.test",
    "company": "Northwind Oy",
    "status": "new",
    "unsubscribed": False,
    "created_at": "2031-01-15T12:00:00.000Z",
    "updated_at": "2031-01-15T12:00:00.000Z",
}
KLEN_CONTACT: dict[str, Any] = {
    "id": "<number>",
    "first_name": "Ada",
    "last_name": "Aalto <id>",
    "full_name": "Ada Aalto <id>",
    "email": "ada.<id>@bench.test",
    "company": "Northwind",
    "website": "https://northwind.test",
    "stage": "customer",
    "stage_display": "Customer",
    "status": "contacted",
    "status_display": "Contacted",
    "address": {
        "street": "Aleksanterinkatu 1",
        "city": "Helsinki",
        "state": None,
        "zip_code": "00100",
        "country": "FI",
    },
    "timezone": "Europe/Helsinki",
    "created_date": "2031-01-15T12:00:00Z",
    "last_call_date": "2031-02-10T09:00:00Z",
    "phone_numbers": [
        {
            "id": 1,
            "phone_number": "+358401234567",
            "phone_type": "mobile",
            "primary": True,
            "do_not_call": False,
            "dnc_date": None,
            "dnc_reason": None,
        },
        {
            "id": 2,
            "phone_number": "+358942450002",
            "phone_type": "work",
            "primary": False,
            "do_not_call": True,
            "dnc_date": "2031-02-01",
            "dnc_reason": "asked",
        },
    ],
    "tags": ["fair", "vip"],
    "recent_notes": [
        {
            "id": 1,
            "content": "Will call back.",
            "created_at": "2031-02-10T09:00:00Z",
            "note_type": "call_note",
            "call_result": None,
        }
    ],
    "custom_context": {"tier": "silver"},
    "industry_context": {},
}
KLEN_CREATED: dict[str, Any] = {"id": "<number>", "message": "Contact created successfully"}
COMETLY_CONTACT: dict[str, Any] = {
    "id": "<number>",
    "emails": ["ada.<id>@bench.test", "ada.<id>@work.test"],
    "phones": ["+358401234567", "+358942450003"],
    "names": ["Ada Aalto <id>"],
    "locations": ["Helsinki, FI"],
    "custom_fields": {"profile_field_1": "Gold"},
}
COMETLY_CREATED: dict[str, Any] = {"id": "<number>", "emails": ["ines@bench.test"], "names": ["Ines Aalto"]}


@dataclass(frozen=True, slots=True)
class Route:
    """One call of a provider. A path that ends with a slash is followed by the id; otherwise it is answered with a new
    one."""

    provider: str
    method: str
    path: str
    status: int
    template: dict[str, Any]

    @property
    def takes_id(self) -> bool:
        return self.path.endswith("/")


ROUTES = (
    Route("gately", "GET", "/contacts/", 200, GATELY_CONTACT),
    Route("gately", "POST", "/contacts", 201, GATELY_CREATED),
    Route("klen", "GET", "/contacts/", 200, KLEN_CONTACT),
    Route("klen", "POST", "/contacts/create", 201, KLEN_CREATED),
    Route("cometly", "GET", "/contacts/", 200, COMETLY_CONTACT),
    Route("cometly", "POST", "/contacts", 201, COMETLY_CREATED),
)
PROVIDERS = ("gately", "klen", "cometly")


def rendered(template: dict[str, Any], remote_id: str) -> str:
    """JSON with the id, or with what a server's configuration writes for it."""
    text = json.dumps(template, separators=(",", ":"), ensure_ascii=False)
    return text.replace('"<number>"', remote_id).replace("<id>", remote_id)


def gately_list(length: int) -> str:
    items = ",".join(rendered(GATELY_ITEM, str(FIRST_LISTED + place)) for place in range(length))
    paging = json.dumps({"page": 1, "limit": length, "total": length, "pages": 1})
    return f'{{"contacts":[{items}],"pagination":{paging}}}'
