"""The works as Tailcall can do them: a configuration without code neither merges nor makes ids; peers/README.md."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.benchmarks.wire_bodies import FIRST_LISTED
from tests.benchmarks.works import Values, Work, person_id, provider_id, read_answer, read_id

# The provider's own word stays, since an alias of an enum's value is not applied to this field.
WORDS = {"ACTIVE": {"klen": "contacted", "gately": "active"}}

PERSON = """query ($id: ID!) {
  person(id: $id) {
    gately { name company unsubscribed emails { address } phones { number type } }
    klen { name website emails { address } phones { number type } }
    cometly { names emails phones }
  }
}"""
LIST = """query ($search: String!, $first: Int!) {
  contacts(first: $first, search: $search) {
    id name company status tags { name } unsubscribed customFields createdAt updatedAt lastContactedAt
    emails { address }
    phones { number type primary }
  }
}"""
CREATE = """mutation ($gately: JSON!, $klen: JSON!, $cometly: JSON!) {
  gately(body: $gately) { name }
  klen(body: $klen) { message }
  cometly(body: $cometly) { names }
}"""


def translated(work: Work) -> Work:
    """The same work in Tailcall's own terms."""
    if work.name == "W1":
        return replace(work, variables=_plain(work), answer=lambda number: {"contact": _read(read_id(number))})
    if work.name == "W2":
        return replace(work, query=PERSON, variables=_plain(work), answer=lambda number: _person(person_id(number)))
    if work.name == "W3":
        return replace(work, query=LIST, answer=lambda number: _listed(work.answer(number)))
    if work.name == "W4":
        return replace(work, query=CREATE, variables=drafts, answer=created)
    return replace(work, variables=_plain(work), answer=lambda number: _many(work.answer(number)))


def _plain(work: Work) -> Callable[[int], Values]:
    return lambda number: {name: str(provider_id(text)) for name, text in work.variables(number).items()}


def _read(remote_id: int) -> Values:
    answer = read_answer(remote_id)
    return {**answer, "status": WORDS[answer["status"]]["klen"]}


def _person(remote_id: int) -> Values:
    name, first, second = f"Ada Aalto {remote_id}", f"ada.{remote_id}@bench.test", f"ada.{remote_id}@work.test"
    klen = _read(remote_id)
    phones = [{"number": "+358 9 4245 0001", "type": "OTHER"}, {"number": "+358 40 123 4567", "type": "MOBILE"}]
    emails = [{"address": first}]
    return {
        "person": {
            "gately": {
                "name": name,
                "company": "Northwind Oy",
                "unsubscribed": False,
                "emails": emails,
                "phones": phones,
            },
            "klen": {"name": name, "website": klen["website"], "emails": emails, "phones": klen["phones"]},
            "cometly": {"names": [name], "emails": [first, second], "phones": ["+358401234567", "+358942450003"]},
        }
    }


def _listed(answer: Values) -> Values:
    nodes = answer["contacts"]["nodes"]
    return {"contacts": [_item(node, FIRST_LISTED + place) for place, node in enumerate(nodes)]}


def _item(node: Values, remote_id: int) -> Values:
    times = {key: node[key].replace("Z", ".000Z") for key in ("createdAt", "updatedAt", "lastContactedAt")}
    tags = [{"name": tag} for tag in node["tags"]]
    return {**node, **times, "id": str(remote_id), "status": WORDS[node["status"]]["gately"], "tags": tags}


def drafts(number: int) -> Values:
    """What the gateway makes of one input; here the client has to know it."""
    email, mobile = f"ines.{number}@bench.test", "+358401234567"
    names = {"first_name": "Ines", "last_name": "Aalto"}
    phones = [{"phone_number": mobile, "phone_type": "mobile"}]
    return {
        "gately": {"name": "Ines Aalto", **names, "email": email, "mobile": mobile},
        "klen": {**names, "email": email, "phone_numbers": phones},
        "cometly": {"emails": [email], "phones": [mobile], "names": ["Ines Aalto"]},
    }


def created(_: int) -> Values:
    return {
        "gately": {"name": "Ines Aalto"},
        "klen": {"message": "Contact created successfully"},
        "cometly": {"names": ["Ines Aalto"]},
    }


def _many(answer: Values) -> Values:
    return {alias: {**one, "status": WORDS[one["status"]]["klen"]} for alias, one in answer.items()}
