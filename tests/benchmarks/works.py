"""What is measured: for each work the operation, its variables for the n-th request, and the exact answer."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.benchmarks.wire_bodies import FIRST_LISTED

Values = dict[str, Any]

FIRST_READ, FIRST_PERSON = 1_000_001, 2_000_001
PERSONS = 100
REPEATED, ALIASES = 25, 50
# So many different bodies that a connection never meets the answer that another one is just asking for.
DISTINCT = 2_000

READ = """query ($id: ID!) {
  contact(id: $id) { name company status stage tags emails { address } phones { number type } website }
}"""
PERSON = """query ($id: ID!) {
  contact(id: $id) {
    name company website unsubscribed
    emails { address }
    phones { number type }
    records { provider name emails { address } phones { number type } }
  }
}"""
LIST = """query ($search: String!, $first: Int!) {
  contacts(first: $first, providers: [GATELY], filter: { search: $search }) {
    nodes {
      id name company status tags unsubscribed customFields createdAt updatedAt lastContactedAt
      emails { address }
      phones { number type primary }
    }
  }
}"""
CREATE = """mutation ($input: CreateContactInput!) {
  createContact(input: $input) {
    status
    results { provider outcome }
    contact { name records { provider } }
  }
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """`distinct` bodies are prepared; the calls are those that one request costs where nothing is shared. `share` is
    the part of the connections that is used: a request that makes many calls needs few others to fill a server."""

    name: str
    title: str
    query: str
    variables: Callable[[int], Values]
    answer: Callable[[int], Values]
    distinct: int = DISTINCT
    calls: int = 1
    share: float = 1.0

    def body(self, number: int) -> str:
        return json.dumps({"query": self.query, "variables": self.variables(number)}, separators=(",", ":"))


def contact_id(provider: str, remote_id: int) -> str:
    return b64encode(f"Contact:{provider}:{remote_id}".encode()).decode("ascii")


def provider_id(contact: str) -> int:
    """The other way round."""
    return int(b64decode(contact).decode("ascii").rpartition(":")[2])


def read_id(number: int) -> int:
    return FIRST_READ + number


def person_id(number: int) -> int:
    """Everybody's number is the same at all three providers."""
    return FIRST_PERSON + number % PERSONS


def read_answer(remote_id: int) -> Values:
    return {
        "name": f"Ada Aalto {remote_id}",
        "company": "Northwind",
        "status": "ACTIVE",
        "stage": "customer",
        "tags": ["fair", "vip"],
        "emails": [{"address": f"ada.{remote_id}@bench.test"}],
        "phones": [
            {"number": "+358401234567", "type": "MOBILE"},
            {"number": "+358942450002", "type": "WORK"},
        ],
        "website": "https://northwind.test",
    }


def person_answer(remote_id: int) -> Values:
    """Every list is united, and what two providers hold is there once."""
    name, first, second = f"Ada Aalto {remote_id}", f"ada.{remote_id}@bench.test", f"ada.{remote_id}@work.test"
    gately = [{"number": "+358 9 4245 0001", "type": "OTHER"}, {"number": "+358 40 123 4567", "type": "MOBILE"}]
    klen = read_answer(remote_id)["phones"]
    cometly = [{"number": "+358401234567", "type": "OTHER"}, {"number": "+358942450003", "type": "OTHER"}]
    return {
        "name": name,
        "company": "Northwind Oy",
        "website": "https://northwind.test",
        "unsubscribed": False,
        "emails": [{"address": first}, {"address": second}],
        "phones": [*gately, klen[1], cometly[1]],
        "records": [
            {"provider": "GATELY", "name": name, "emails": [{"address": first}], "phones": gately},
            {"provider": "KLEN", "name": name, "emails": [{"address": first}], "phones": klen},
            {
                "provider": "COMETLY",
                "name": name,
                "emails": [{"address": first}, {"address": second}],
                "phones": cometly,
            },
        ],
    }


def listed_answer(remote_id: int) -> Values:
    return {
        "id": contact_id("gately", remote_id),
        "name": f"Ada Aalto {remote_id}",
        "company": "Northwind Oy",
        "status": "ACTIVE",
        "tags": ["Beta"],
        "unsubscribed": False,
        "customFields": {"tier": "gold", "seats": 12},
        "createdAt": "2031-01-15T12:00:00Z",
        "updatedAt": "2031-02-10T09:00:00Z",
        "lastContactedAt": "2031-02-10T09:00:00Z",
        "emails": [{"address": f"ada.{remote_id}@bench.test"}],
        "phones": [
            {"number": "+358 9 4245 0001", "type": "OTHER", "primary": True},
            {"number": "+358 40 123 4567", "type": "MOBILE", "primary": False},
        ],
    }


def list_work(length: int) -> Work:
    """Each request searches for something else, so that each costs a call."""
    return Work(
        name="W3" if length == 100 else f"list {length}",
        title=f"a list of {length} contacts of one provider, 12 fields, nested phones",
        query=LIST,
        variables=lambda number: {"search": f"a{number}", "first": length},
        answer=lambda number: {"contacts": {"nodes": [listed_answer(FIRST_LISTED + place) for place in range(length)]}},
    )


def _draft(number: int) -> Values:
    return {
        "input": {
            "name": "Ines Aalto",
            "firstName": "Ines",
            "lastName": "Aalto",
            "emails": [{"address": f"ines.{number}@bench.test"}],
            "phones": [{"number": "+358401234567", "type": "MOBILE"}],
            "providers": ["GATELY", "KLEN", "COMETLY"],
        }
    }


def _created(_: int) -> Values:
    providers = ["GATELY", "KLEN", "COMETLY"]
    return {
        "createContact": {
            "status": "SUCCEEDED",
            "results": [{"provider": provider, "outcome": "APPLIED"} for provider in providers],
            "contact": {"name": "Ines Aalto", "records": [{"provider": provider} for provider in providers]},
        }
    }


def _many() -> str:
    variables = ", ".join(f"$i{place}: ID!" for place in range(REPEATED))
    fields = "\n".join(
        f"  c{place}: contact(id: $i{place % REPEATED}) {{ name company status emails {{ address }} }}"
        for place in range(ALIASES)
    )
    return f"query ({variables}) {{\n{fields}\n}}"


def _many_work(name: str, title: str, first: Callable[[int], int], distinct: int) -> Work:
    """Fifty times `contact` in one operation, of twenty-five ids from `first` on."""

    def answer(number: int) -> Values:
        answers = [read_answer(read_id(first(number) + place)) for place in range(REPEATED)]
        keys = ("name", "company", "status", "emails")
        return {f"c{place}": {key: answers[place % REPEATED][key] for key in keys} for place in range(ALIASES)}

    def variables(number: int) -> Values:
        return {f"i{place}": contact_id("klen", read_id(first(number) + place)) for place in range(REPEATED)}

    return Work(
        name=name,
        title=title,
        query=_many(),
        variables=variables,
        answer=answer,
        distinct=distinct,
        calls=REPEATED,
        share=0.25,
    )


WORKS = (
    Work(
        name="W1",
        title="one contact of one provider, 8 fields, the id varies",
        query=READ,
        variables=lambda number: {"id": contact_id("klen", read_id(number))},
        answer=lambda number: {"contact": read_answer(read_id(number))},
    ),
    Work(
        name="W2",
        title="one person, read at three providers and merged",
        query=PERSON,
        variables=lambda number: {"id": contact_id("gately", person_id(number))},
        answer=lambda number: {"contact": person_answer(person_id(number))},
        distinct=PERSONS,
        calls=3,
    ),
    list_work(100),
    Work(
        name="W4",
        title="createContact at three providers, each says yes",
        query=CREATE,
        variables=_draft,
        answer=_created,
        calls=3,
    ),
    _many_work("W5", "50 contacts by id in one operation, 25 different ones, always the same", lambda _: 0, 1),
    _many_work(
        "W5v", "50 contacts by id in one operation, 25 different ones, others each time", lambda n: n * REPEATED, 400
    ),
)
