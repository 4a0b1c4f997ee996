"""node and nodes (Relay): each bad or unreadable id fails at its own place."""

import pytest

from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import Sandbox
from tests.conftest import Gateway
from tests.graphql.ids import ADA_CONTACTS, ADA_RECORDS, UNKNOWN_GATELY_ID, contact_id, record_id
from tests.graphql.traffic import NOBODY, Traffic

NODE = "query($id: ID!) { node(id: $id) { __typename id ... on ContactFields { name } } }"
NODES = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on ContactFields { name } } }"


@pytest.mark.parametrize("provider", ADA_CONTACTS)
def test_a_node_has_the_type_that_its_id_names(gateway: Gateway, provider: str) -> None:
    contact, record = ADA_CONTACTS[provider], ADA_RECORDS[provider]

    assert gateway.data(NODES, ids=[contact, record]) == {
        "nodes": [
            {"__typename": "Contact", "id": contact, "name": "Ada Winter"},
            {"__typename": "ContactRecord", "id": record, "name": "Ada Winter"},
        ]
    }


@pytest.mark.parametrize("make_id", [contact_id, record_id])
def test_a_node_that_is_gone_is_null_without_an_error(gateway: Gateway, make_id: type) -> None:
    assert gateway.data(NODE, id=make_id("gately", UNKNOWN_GATELY_ID)) == {"node": None}


def test_a_record_that_cannot_be_read_is_null_with_its_error(gateway: Gateway, sandbox: Sandbox) -> None:
    sandbox.klen.faults.add(Fault(kind="status", status=401))

    answer = gateway.send(NODE, id=ADA_RECORDS["klen"])

    assert answer["data"] == {"node": None}
    (error,) = answer["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["node"], "PROVIDER_UNAUTHENTICATED")


def test_every_id_of_nodes_stands_for_itself(gateway: Gateway, sandbox: Sandbox) -> None:
    sandbox.klen.faults.add(Fault(kind="status", status=403))
    ids = [ADA_CONTACTS["gately"], "rubbish", record_id("gately", UNKNOWN_GATELY_ID), ADA_RECORDS["klen"]]

    answer = gateway.send(NODES, ids=[*ids, ADA_RECORDS["cometly"]])

    assert answer["data"]["nodes"] == [
        {"__typename": "Contact", "id": ADA_CONTACTS["gately"], "name": "Ada Winter"},
        None,
        None,
        None,
        {"__typename": "ContactRecord", "id": ADA_RECORDS["cometly"], "name": "Ada Winter"},
    ]
    told = {tuple(error["path"]): error["extensions"]["code"] for error in answer["errors"]}
    assert told == {("nodes", 1): "INVALID_INPUT", ("nodes", 3): "PROVIDER_FORBIDDEN"}
    assert answer["errors"][0]["extensions"]["fields"][0]["path"] == ["ids", "1"]


def test_no_ids_are_no_nodes(gateway: Gateway, traffic: Traffic) -> None:
    assert gateway.data(NODES, ids=[]) == {"nodes": []}
    assert traffic.calls == NOBODY


def test_a_hundred_nodes_may_be_asked_for_but_not_one_more(gateway: Gateway, traffic: Traffic) -> None:
    only_ids = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    ids = [contact_id("klen", number) for number in range(1, 102)]

    assert [node["id"] for node in gateway.data(only_ids, ids=ids[:100])["nodes"]] == ids[:100]
    answer = gateway.send(only_ids, ids=ids)

    (error,) = answer["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["nodes"], "INVALID_INPUT")
    assert [wrong["path"] for wrong in error["extensions"]["fields"]] == [["ids"]]
    assert traffic.calls == NOBODY
