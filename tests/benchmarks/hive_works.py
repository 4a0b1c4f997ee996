"""The works as Hive Gateway can do them over REST: each provider's own shape, renamed by the query; peers/README.md."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.benchmarks.tailcall_works import created, drafts
from tests.benchmarks.wire_bodies import FIRST_LISTED
from tests.benchmarks.works import Values, Work, person_id, provider_id, read_id

KLEN = "name: full_name company status"
READ = f"""query ($id: String!) {{
  contact: klenContact(id: $id) {{
    {KLEN} stage tags email phones: phone_numbers {{ number: phone_number type: phone_type }} website
  }}
}}"""
PERSON = """query ($id: String!) {
  gately: gatelyContact(id: $id) { name company unsubscribed email phone mobile }
  klen: klenContact(id: $id) {
    name: full_name website email phones: phone_numbers { number: phone_number type: phone_type }
  }
  cometly: cometlyContact(id: $id) { names emails phones }
}"""
LIST = """query ($search: String!, $first: Int!) {
  contacts: gatelyContacts(first: $first, search: $search) {
    nodes: contacts {
      id name company status tags { name } unsubscribed customFields: custom_fields
      createdAt: created_at updatedAt: updated_at lastContactedAt: last_contacted_at
      email phone mobile
    }
  }
}"""
CREATE = """mutation ($gately: JSON!, $klen: JSON!, $cometly: JSON!) {
  gately: createGately(input: $gately) { name }
  klen: createKlen(input: $klen) { message }
  cometly: createCometly(input: $cometly) { names }
}"""


def translated(work: Work) -> Work:
    """The same work in Hive Gateway's own terms."""
    if work.name == "W1":
        return replace(work, query=READ, variables=_plain(work), answer=lambda number: _read(read_id(number)))
    if work.name == "W2":
        return replace(work, query=PERSON, variables=_plain(work), answer=lambda number: _person(person_id(number)))
    if work.name == "W3":
        return replace(work, query=LIST, answer=lambda number: _listed(len(work.answer(number)["contacts"]["nodes"])))
    if work.name == "W4":
        return replace(work, query=CREATE, variables=drafts, answer=created)
    query = work.query.replace("ID!", "String!").replace(": contact(", ": klenContact(")
    query = query.replace("name company status emails { address }", f"{KLEN} email")
    return replace(work, query=query, variables=_plain(work), answer=lambda number: _many(work.answer(number)))


def _plain(work: Work) -> Callable[[int], Values]:
    return lambda number: {name: str(provider_id(text)) for name, text in work.variables(number).items()}


def _klen(remote_id: int) -> Values:
    return {
        "name": f"Ada Aalto {remote_id}",
        "company": "Northwind",
        "status": "contacted",
        "stage": "customer",
        "tags": ["fair", "vip"],
        "email": f"ada.{remote_id}@bench.test",
        "phones": [{"number": "+358401234567", "type": "mobile"}, {"number": "+358942450002", "type": "work"}],
        "website": "https://northwind.test",
    }


def _gately(remote_id: int) -> Values:
    return {
        "name": f"Ada Aalto {remote_id}",
        "company": "Northwind Oy",
        "unsubscribed": False,
        "email": f"ada.{remote_id}@bench.test",
        "phone": "+358 9 4245 0001",
        "mobile": "+358 40 123 4567",
    }


def _read(remote_id: int) -> Values:
    return {"contact": _klen(remote_id)}


def _person(remote_id: int) -> Values:
    klen = _klen(remote_id)
    return {
        "gately": _gately(remote_id),
        "klen": {key: klen[key] for key in ("name", "website", "email", "phones")},
        "cometly": {
            "names": [f"Ada Aalto {remote_id}"],
            "emails": [f"ada.{remote_id}@bench.test", f"ada.{remote_id}@work.test"],
            "phones": ["+358401234567", "+358942450003"],
        },
    }


def _listed(length: int) -> Values:
    nodes = [
        {
            "id": str(remote_id),
            **_gately(remote_id),
            "status": "active",
            "tags": [{"name": "Beta"}],
            "customFields": {"tier": "gold", "seats": 12},
            "createdAt": "2031-01-15T12:00:00.000Z",
            "updatedAt": "2031-02-10T09:00:00.000Z",
            "lastContactedAt": "2031-02-10T09:00:00.000Z",
        }
        for remote_id in range(FIRST_LISTED, FIRST_LISTED + length)
    ]
    return {"contacts": {"nodes": nodes}}


def _many(answer: Values) -> Values:
    return {
        alias: {
            "name": one["name"],
            "company": one["company"],
            "status": "contacted",
            "email": one["emails"][0]["address"],
        }
        for alias, one in answer.items()
    }
