"""contacts: dealt out in turn, each provider in its own order, and a walk that loses nothing (design section 8)."""

from collections.abc import Callable, Iterable, Iterator
from itertools import cycle, zip_longest
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.connectors.base import PageRequest, RecordPage
from gateway.connectors.klen.connector import KlenConnector
from gateway.sandbox.cometly.profile import CometlyProfile, Values
from gateway.sandbox.faults import Fault
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.seed.landmarks import OTHER_TEAM_KLEN_ID
from tests.conftest import Gateway
from tests.graphql.ids import ADA_CONTACTS, COMETLY_ID, contact_id, spell_out
from tests.graphql.traffic import NOBODY, Traffic

PAGE = """query($first: Int!, $after: String, $providers: [Provider!], $filter: ContactFilter) {
  contacts(first: $first, after: $after, providers: $providers, filter: $filter) {
    nodes { id }
    totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    sources { provider state error { code } }
  }
}"""
IN_ORDER = ("gately", "klen", "cometly")


def stock(sandbox: Sandbox, provider: str, wanted: Callable[[Any], bool] = lambda one: True) -> list[str]:
    """The contact ids of a provider's list, newest first as every simulator lists them."""
    every: dict[str, list[Any]] = {
        "gately": sorted(sandbox.gately.contacts.values(), key=lambda one: one.created_at, reverse=True),
        "klen": sorted(
            (one for one in sandbox.klen.contacts.values() if one.id != OTHER_TEAM_KLEN_ID), key=lambda one: -one.id
        ),
        "cometly": sorted(sandbox.cometly.contacts.values(), key=lambda one: -one.id),
    }
    return [contact_id(provider, one.id) for one in every[provider] if wanted(one)]


def dealt(*stocks: Iterable[str]) -> list[str]:
    """One of each in turn, until all are out."""
    return [one for turn in zip_longest(*stocks) for one in turn if one is not None]


def pages(gateway: Gateway, sizes: Iterable[int], **arguments: Any) -> Iterator[dict[str, Any]]:
    """Every page of a walk, each of the next size; it has to end."""
    after = None
    for _, first in zip(range(400), sizes, strict=False):
        page: dict[str, Any] = gateway.data(PAGE, first=first, after=after, **arguments)["contacts"]
        yield page
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]
    pytest.fail("the walk does not end")


def walked(gateway: Gateway, *sizes: int, **arguments: Any) -> list[str]:
    return [node["id"] for page in pages(gateway, cycle(sizes), **arguments) for node in page["nodes"]]


def by_provider(ids: Iterable[str]) -> dict[str, list[str]]:
    """Each provider's share of a walk, in the order in which it was met."""
    shares: dict[str, list[str]] = {}
    for one in ids:
        shares.setdefault(spell_out(one).split(":")[1], []).append(one)
    return shares


class TestOrder:
    def test_one_of_each_provider_in_turn_in_order_of_precedence(self, gateway: Gateway, sandbox: Sandbox) -> None:
        expected = dealt(*(stock(sandbox, provider) for provider in IN_ORDER))

        assert [node["id"] for node in gateway.data(PAGE, first=10)["contacts"]["nodes"]] == expected[:10]

    def test_another_precedence_deals_in_another_order(
        self, start_gateway: Callable[..., Gateway], sandbox: Sandbox
    ) -> None:
        gateway = start_gateway(precedence="cometly,gately,klen")
        expected = dealt(*(stock(sandbox, provider) for provider in ("cometly", "gately", "klen")))

        assert [node["id"] for node in gateway.data(PAGE, first=100)["contacts"]["nodes"]] == expected[:100]

    def test_the_order_in_which_providers_are_named_does_not_matter(self, gateway: Gateway, sandbox: Sandbox) -> None:
        expected = dealt(stock(sandbox, "gately"), stock(sandbox, "klen"))

        page = gateway.data(PAGE, first=40, providers=["KLEN", "GATELY", "KLEN"])["contacts"]

        assert [node["id"] for node in page["nodes"]] == expected[:40]

    @pytest.mark.parametrize("provider", IN_ORDER)
    def test_one_provider_alone_keeps_its_own_order(self, gateway: Gateway, sandbox: Sandbox, provider: str) -> None:
        assert walked(gateway, 15, providers=[provider.upper()]) == stock(sandbox, provider)

    def test_pages_of_one_contact_do_not_stand_still(self, gateway: Gateway, sandbox: Sandbox) -> None:
        assert walked(gateway, 1, providers=["COMETLY"]) == stock(sandbox, "cometly")


class TestWalk:
    @pytest.mark.parametrize("first", [4, 10, 37, 100])
    def test_it_meets_everybody_once_in_each_providers_order(
        self, gateway: Gateway, sandbox: Sandbox, first: int
    ) -> None:
        assert by_provider(walked(gateway, first)) == {name: stock(sandbox, name) for name in IN_ORDER}

    @pytest.mark.parametrize("sizes", [(5, 2), (10, 1), (3, 50)], ids=str)
    def test_pages_of_changing_size_lose_and_repeat_nothing(
        self, gateway: Gateway, sandbox: Sandbox, sizes: tuple[int, ...]
    ) -> None:
        """Relay: `first` may differ from page to page."""
        assert by_provider(walked(gateway, *sizes)) == {name: stock(sandbox, name) for name in IN_ORDER}

    def test_every_edges_cursor_goes_on_right_after_it(self, gateway: Gateway) -> None:
        """Relay: a list has one order, whatever the size of its pages."""
        query = "query($after: String) { contacts(first: 9, after: $after) { edges { cursor node { id } } } }"
        edges = gateway.data(query)["contacts"]["edges"]

        following = [gateway.data(PAGE, first=1, after=edge["cursor"])["contacts"]["nodes"][0] for edge in edges[:-1]]

        assert following == [edge["node"] for edge in edges[1:]]

    def test_pages_are_full_until_the_last(self, gateway: Gateway) -> None:
        sizes = [len(page["nodes"]) for page in pages(gateway, cycle([25]))]

        assert sizes == [25, 25, 25, 25, 11]

    def test_page_info_tells_where_the_page_stands(self, gateway: Gateway) -> None:
        query = """query($after: String) { contacts(first: 60, after: $after) {
          edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""

        first = gateway.data(query)["contacts"]
        last = gateway.data(query, after=first["pageInfo"]["endCursor"])["contacts"]

        assert first["pageInfo"] == {
            "hasNextPage": True,
            "hasPreviousPage": False,
            "startCursor": first["edges"][0]["cursor"],
            "endCursor": first["edges"][-1]["cursor"],
        }
        assert last["pageInfo"] == {
            "hasNextPage": False,
            "hasPreviousPage": True,
            "startCursor": last["edges"][0]["cursor"],
            "endCursor": last["edges"][-1]["cursor"],
        }

    def test_after_the_end_there_is_nothing_more(self, gateway: Gateway, traffic: Traffic) -> None:
        end = list(pages(gateway, cycle([100])))[-1]["pageInfo"]["endCursor"]
        traffic.forget()

        page = gateway.data(PAGE, first=5, after=end)["contacts"]

        assert page["nodes"] == []
        assert page["pageInfo"] == {
            "hasNextPage": False,
            "hasPreviousPage": True,
            "startCursor": None,
            "endCursor": None,
        }
        assert traffic.calls == NOBODY

    def test_edges_and_nodes_are_the_same_contacts(self, gateway: Gateway) -> None:
        page = gateway.data("{ contacts(first: 7) { edges { node { id name } } nodes { id name } } }")["contacts"]

        assert [edge["node"] for edge in page["edges"]] == page["nodes"]

    def test_an_empty_project_is_an_empty_page(self, gateway: Gateway, sandbox: Sandbox) -> None:
        for contacts in (sandbox.gately.contacts, sandbox.klen.contacts, sandbox.cometly.contacts):
            contacts.clear()  # type: ignore[attr-defined]  # dicts of three types

        assert gateway.data(PAGE, first=5)["contacts"] == {
            "nodes": [],
            "totalCount": None,
            "pageInfo": {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None},
            "sources": [{"provider": name.upper(), "state": "OK", "error": None} for name in IN_ORDER],
        }


class TestFirst:
    @pytest.mark.parametrize("first", [0, 101, -1, -(2**31)])
    def test_it_is_one_to_a_hundred(self, gateway: Gateway, traffic: Traffic, first: int) -> None:
        error = gateway.error(PAGE, first=first)

        assert (error["path"], error["extensions"]["code"]) == (["contacts"], "INVALID_INPUT")
        assert [(wrong["path"], wrong["code"]) for wrong in error["extensions"]["fields"]] == [
            (["first"], "OUT_OF_RANGE")
        ]
        assert traffic.calls == NOBODY

    def test_far_beyond_a_hundred_it_is_refused_by_its_cost(self, gateway: Gateway, traffic: Traffic) -> None:
        assert gateway.error(PAGE, first=2**31 - 1)["extensions"]["limit"] == "maxCost"
        assert traffic.calls == NOBODY

    def test_twenty_is_the_default(self, gateway: Gateway) -> None:
        assert len(gateway.data("{ contacts { nodes { id } } }")["contacts"]["nodes"]) == 20


class TestLinkedRecords:
    def test_they_appear_once_where_their_anchor_does(self, gateway: Gateway, sandbox: Sandbox, ada: str) -> None:
        gately, klen, cometly = (stock(sandbox, provider) for provider in IN_ORDER)
        klen.remove(ADA_CONTACTS["klen"])
        cometly.remove(ADA_CONTACTS["cometly"])

        for first in (4, 100):
            shares = by_provider(walked(gateway, first))
            assert shares == {"gately": gately, "klen": klen, "cometly": cometly}

    def test_where_the_anchor_is_not_listed_the_next_record_stands_for_it(
        self, gateway: Gateway, sandbox: Sandbox, ada: str
    ) -> None:
        klen = [ada if one == ADA_CONTACTS["klen"] else one for one in stock(sandbox, "klen")]
        cometly = [one for one in stock(sandbox, "cometly") if one != ADA_CONTACTS["cometly"]]

        met = walked(gateway, 11, providers=["KLEN", "COMETLY"])

        assert [one for one in met if one in klen] == klen
        assert [one for one in met if one not in klen] == cometly

    def test_every_edges_cursor_goes_on_past_those_that_do_not_appear(
        self, gateway: Gateway, sandbox: Sandbox, link: Callable[..., str]
    ) -> None:
        """At the beginning of a page, in its middle and at its end."""
        klen = stock(sandbox, "klen")
        hidden = [klen[0], klen[3], klen[9]]
        assert link(*hidden, klen[-1]) == klen[-1]
        shown = [one for one in klen if one not in hidden]
        query = "query($after: String) { contacts(first: 10, after: $after, providers: [KLEN]) { edges { cursor } } }"
        place, after = 0, None

        while edges := gateway.data(query, after=after)["contacts"]["edges"]:
            for edge in edges:
                place, after = place + 1, edge["cursor"]
                following = gateway.data(PAGE, first=1, after=after, providers=["KLEN"])["contacts"]["nodes"]
                assert following == [{"id": one} for one in shown[place : place + 1]]
        assert place == len(shown)

    def test_they_are_shown_with_all_their_records(self, gateway: Gateway, ada: str) -> None:
        query = """{ contacts(first: 1, providers: [KLEN], filter: {search: "ada.winter"}) {
          nodes { id tags records { provider } } totalCount } }"""

        assert gateway.data(query)["contacts"]["nodes"] == [
            {
                "id": ada,
                "tags": ["Fair 2031", "VIP", "New", "Priority"],
                "records": [{"provider": "GATELY"}, {"provider": "KLEN"}, {"provider": "COMETLY"}],
            }
        ]


class TestTotalCount:
    @pytest.mark.parametrize(
        ("providers", "total"),
        [
            (["GATELY"], 38),
            (["KLEN"], 37),
            (["GATELY", "KLEN"], 75),
            (["COMETLY"], None),
            (["GATELY", "COMETLY"], None),
            (None, None),
        ],
    )
    def test_it_is_null_when_somebody_does_not_count(
        self, gateway: Gateway, providers: list[str] | None, total: int | None
    ) -> None:
        assert gateway.data(PAGE, first=1, providers=providers)["contacts"]["totalCount"] == total

    def test_a_linked_contact_counts_once(self, gateway: Gateway, ada: str) -> None:
        assert gateway.data(PAGE, first=1, providers=["GATELY", "KLEN"])["contacts"]["totalCount"] == 74
        assert gateway.data(PAGE, first=1, providers=["KLEN"])["contacts"]["totalCount"] == 37

    def test_it_stays_the_same_through_a_walk(self, gateway: Gateway, ada: str) -> None:
        totals = [page["totalCount"] for page in pages(gateway, cycle([30]), providers=["GATELY", "KLEN"])]

        assert totals == [74, 74, 74]

    def test_it_counts_what_a_filter_leaves(self, gateway: Gateway, sandbox: Sandbox) -> None:
        active = stock(sandbox, "gately", lambda one: one.status == "active")

        page = gateway.data(PAGE, first=1, providers=["GATELY"], filter={"status": "ACTIVE"})["contacts"]

        assert page["totalCount"] == len(active)

    def test_it_is_null_while_a_provider_fails(self, gateway: Gateway, sandbox: Sandbox) -> None:
        sandbox.klen.faults.add(Fault(kind="status", status=401))

        assert gateway.send(PAGE, first=1, providers=["GATELY", "KLEN"])["data"]["contacts"]["totalCount"] is None


class TestFailure:
    QUERY = """query($first: Int!, $after: String) { contacts(first: $first, after: $after) {
      edges { cursor node { id } } nodes { id } totalCount pageInfo { hasNextPage endCursor }
      sources { provider state error { code retryAfterMs } } } }"""

    def test_a_failed_provider_leaves_one_null_and_one_error_at_its_turn(
        self, gateway: Gateway, sandbox: Sandbox
    ) -> None:
        sandbox.klen.faults.add(Fault(kind="status", status=429, retry_after_seconds=30))
        query = self.QUERY.replace("nodes { id } ", "")

        answer = gateway.send(query, first=5)

        page = answer["data"]["contacts"]
        shown = [edge and edge["node"]["id"] for edge in page["edges"]]
        gately, cometly = stock(sandbox, "gately"), stock(sandbox, "cometly")
        assert shown == [gately[0], None, cometly[0], gately[1], cometly[1], gately[2]]
        assert page["totalCount"] is None
        assert page["pageInfo"]["hasNextPage"] is True
        assert page["sources"] == [
            {"provider": "GATELY", "state": "OK", "error": None},
            {"provider": "KLEN", "state": "FAILED", "error": {"code": "RATE_LIMITED", "retryAfterMs": 30_000}},
            {"provider": "COMETLY", "state": "OK", "error": None},
        ]
        (error,) = answer["errors"]
        assert error["path"] == ["contacts", "edges", 1]
        assert (error["extensions"]["code"], error["extensions"]["provider"]) == ("RATE_LIMITED", "KLEN")

    def test_nodes_are_null_at_the_same_places(self, gateway: Gateway, sandbox: Sandbox) -> None:
        sandbox.klen.faults.add(Fault(kind="status", status=401))

        answer = gateway.send("{ contacts(first: 4) { nodes { id } } }")

        assert [node is None for node in answer["data"]["contacts"]["nodes"]] == [False, True, False, False, False]
        assert [error["path"] for error in answer["errors"]] == [["contacts", "nodes", 1]]

    def test_the_walk_takes_it_up_again_where_it_stood(self, gateway: Gateway, sandbox: Sandbox) -> None:
        """Klen fails on the second page of eight and again on the third; then it is back."""
        met: list[str] = []
        after, number = None, 0
        while number < 50:
            sandbox.klen.faults.clear()
            if number in (1, 2):
                sandbox.klen.faults.add(Fault(kind="status", status=500))
            page = gateway.send(self.QUERY, first=8, after=after)["data"]["contacts"]
            met += [node["id"] for node in page["nodes"] if node]
            number, after = number + 1, page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break

        assert by_provider(met) == {name: stock(sandbox, name) for name in IN_ORDER}

    def test_when_everybody_fails_the_walk_can_still_be_taken_up(self, gateway: Gateway, sandbox: Sandbox) -> None:
        first = gateway.data(self.QUERY, first=4)["contacts"]
        for simulator in sandbox.simulators:
            simulator.faults.add(Fault(kind="status", status=401))

        answer = gateway.send(self.QUERY, first=4, after=first["pageInfo"]["endCursor"])
        failed = answer["data"]["contacts"]
        for simulator in sandbox.simulators:
            simulator.faults.clear()
        again = gateway.data(self.QUERY, first=4, after=failed["pageInfo"]["endCursor"])["contacts"]

        assert failed["edges"] == failed["nodes"] == [None] * 3
        assert failed["pageInfo"]["hasNextPage"] is True
        assert len(answer["errors"]) == 6
        shares = by_provider(node["id"] for node in first["nodes"] + again["nodes"])
        assert shares == {name: stock(sandbox, name)[: len(share)] for name, share in shares.items()}
        assert sum(len(share) for share in shares.values()) == 8

    def test_a_record_that_appears_meanwhile_is_met_at_the_next_walk(self, gateway: Gateway, sandbox: Sandbox) -> None:
        """Cometly pages by cursor: what is new stands before it, and what was there is met once."""
        before = stock(sandbox, "cometly")
        walk = pages(gateway, cycle([10]), providers=["COMETLY"])
        met = [node["id"] for node in next(walk)["nodes"]]
        gateway.data(
            """mutation { createContact(input: {providers: [COMETLY], emails: [{address: "eva@sommer.test"}]}) {
                 status } }"""
        )
        met += [node["id"] for page in walk for node in page["nodes"]]

        assert met == before


FILTERS: list[tuple[dict[str, str], dict[str, Callable[[Any], bool] | None]]] = [
    (
        {"status": "ACTIVE"},
        {
            "gately": lambda one: one.status == "active",
            "klen": lambda one: one.status in ("contacted", "active"),
            "cometly": None,
        },
    ),
    (
        {"status": "NEW"},
        {
            "gately": lambda one: one.status == "new",
            "klen": lambda one: one.status == "not_contacted",
            "cometly": None,
        },
    ),
    ({"status": "ARCHIVED"}, {"gately": lambda one: one.status == "archived", "klen": None, "cometly": None}),
    ({"stage": "customer"}, {"gately": None, "klen": lambda one: one.stage == "customer", "cometly": None}),
    ({"tag": "Priority"}, {"gately": lambda one: False, "klen": lambda one: "Priority" in one.tags, "cometly": None}),
    (
        {"search": "WINTER"},
        {
            "gately": lambda one: "winter" in (one.name + one.email + (one.company or "")).lower(),
            "klen": lambda one: "winter" in f"{one.first_name} {one.last_name} {one.email}".lower(),
            "cometly": lambda one: "winter" in " ".join([one.names.primary or "", *one.emails.oldest_first]).lower(),
        },
    ),
    (
        {"search": "Northwind.example"},
        {
            "gately": lambda one: "northwind.example" in one.email,
            "klen": lambda one: "northwind.example" in (one.email or ""),
            "cometly": lambda one: "northwind.example" in " ".join(one.emails.oldest_first),
        },
    ),
    ({"search": "nobody at all"}, {provider: lambda one: False for provider in IN_ORDER}),
    (
        {"search": "winter", "status": "ACTIVE"},
        {
            "gately": lambda one: "winter" in one.name.lower() and one.status == "active",
            "klen": lambda one: "Winter" in (one.last_name or "") and one.status in ("contacted", "active"),
            "cometly": None,
        },
    ),
    (
        {"stage": "customer", "status": "ACTIVE"},
        {
            "gately": None,
            "klen": lambda one: one.stage == "customer" and one.status in ("contacted", "active"),
            "cometly": None,
        },
    ),
]


class TestFilter:
    @pytest.mark.parametrize(
        ("filter", "passes"), FILTERS, ids=lambda value: str(value) if "gately" not in value else ""
    )
    @pytest.mark.parametrize("first", [3, 100])
    def test_it_narrows_every_provider_that_can_and_skips_the_others(
        self,
        gateway: Gateway,
        sandbox: Sandbox,
        filter: dict[str, str],
        passes: dict[str, Callable[[Any], bool] | None],
        first: int,
    ) -> None:
        walk = list(pages(gateway, cycle([first]), filter=filter))

        met = [node["id"] for page in walk for node in page["nodes"]]
        expected = dealt(*(stock(sandbox, name, wanted) for name in IN_ORDER if (wanted := passes[name])))
        assert sorted(met) == sorted(expected)
        if first == 100:
            assert met == expected
        skipped = {"state": "SKIPPED", "error": {"code": "UNSUPPORTED_FIELD"}}
        answered = {"state": "OK", "error": None}
        assert walk[0]["sources"] == [
            {"provider": name.upper(), **(answered if passes[name] else skipped)} for name in IN_ORDER
        ]

    def test_a_skipped_provider_is_not_called(self, gateway: Gateway, traffic: Traffic) -> None:
        gateway.data(PAGE, first=5, filter={"stage": "lead"})

        assert traffic.calls == {"klen": ["GET /contacts"]}

    def test_gatelys_tag_filter(self, gateway: Gateway, sandbox: Sandbox) -> None:
        vip = next(tag.id for tag in sandbox.gately.book.tags.values() if tag.name == "VIP")
        expected = stock(sandbox, "gately", lambda one: vip in one.tags)

        assert walked(gateway, 6, filter={"tag": "VIP"}, providers=["GATELY"]) == expected

    def test_a_null_condition_is_none(self, gateway: Gateway, sandbox: Sandbox) -> None:
        unfiltered = {"search": None, "status": None, "stage": None, "tag": None}

        assert walked(gateway, 100, filter=unfiltered) == walked(gateway, 100)

    @pytest.mark.parametrize("name", ["search", "stage", "tag"])
    @pytest.mark.parametrize("blank", ["", " ", "\t\n"])
    def test_a_blank_condition_is_invalid_input(
        self, gateway: Gateway, traffic: Traffic, name: str, blank: str
    ) -> None:
        error = gateway.error(PAGE, first=5, filter={name: blank})

        assert (error["path"], error["extensions"]["code"]) == (["contacts"], "INVALID_INPUT")
        assert [wrong["path"] for wrong in error["extensions"]["fields"]] == [["filter", name]]
        assert traffic.calls == NOBODY

    def test_cometly_is_searched_page_by_page_without_reading_on_for_ever(
        self, gateway: Gateway, sandbox: Sandbox, traffic: Traffic
    ) -> None:
        """One answer reads a bounded number of pages; the walk goes on from there."""
        person = sandbox.cometly.contacts[COMETLY_ID]
        sandbox.cometly.space.profiles |= {
            number: CometlyProfile(number, person.created_at, names=Values([f"Sam {number}"], f"Sam {number}"))
            for number in range(50_000, 53_000)
        }

        first = next(pages(gateway, [1], providers=["COMETLY"], filter={"search": "ada.winter"}))
        calls = len(traffic.calls["cometly"])
        met = walked(gateway, 1, providers=["COMETLY"], filter={"search": "ada.winter"})

        assert first["nodes"] == []
        assert first["pageInfo"]["hasNextPage"] is True
        assert calls <= 5
        assert met == [ADA_CONTACTS["cometly"]]


def invalid_cursor(gateway: Gateway, after: str, **arguments: Any) -> str:
    """The code of the problem at `after`."""
    error = gateway.error(PAGE, first=5, after=after, **arguments)
    assert (error["path"], error["extensions"]["code"]) == (["contacts"], "INVALID_INPUT")
    (wrong,) = error["extensions"]["fields"]
    assert wrong["path"] == ["after"]
    code: str = wrong["code"]
    return code


class TestCursor:
    @pytest.fixture
    def cursor(self, gateway: Gateway, traffic: Traffic) -> str:
        end: str = gateway.data(PAGE, first=5)["contacts"]["pageInfo"]["endCursor"]
        traffic.forget()
        return end

    def test_every_changed_sign_is_noticed(self, gateway: Gateway, cursor: str, traffic: Traffic) -> None:
        # The bits of the last sign may be spare.
        for place in range(0, len(cursor) - 1, 5):
            other = "A" if cursor[place] != "A" else "B"
            assert invalid_cursor(gateway, cursor[:place] + other + cursor[place + 1 :]) == "MALFORMED_CURSOR"
        assert traffic.calls == NOBODY

    def test_every_missing_end_is_noticed(self, gateway: Gateway, cursor: str, traffic: Traffic) -> None:
        for length in range(0, len(cursor) - 1, 7):
            assert invalid_cursor(gateway, cursor[:length]) == "MALFORMED_CURSOR"
        assert traffic.calls == NOBODY

    @pytest.mark.parametrize(
        "arguments",
        [
            {"providers": ["GATELY"]},
            {"filter": {"search": "winter"}},
            {"filter": {"status": "NEW"}},
            {"filter": {"tag": "VIP"}, "providers": ["GATELY"]},
        ],
        ids=str,
    )
    def test_one_of_another_list_is_refused(
        self, gateway: Gateway, cursor: str, traffic: Traffic, arguments: dict[str, Any]
    ) -> None:
        assert invalid_cursor(gateway, cursor, **arguments) == "FOREIGN_CURSOR"
        assert traffic.calls == NOBODY

    def test_one_is_good_for_the_same_providers_however_they_are_named(self, gateway: Gateway, cursor: str) -> None:
        named = gateway.data(PAGE, first=5, after=cursor, providers=["COMETLY", "KLEN", "GATELY"])

        assert named == gateway.data(PAGE, first=5, after=cursor)

    def test_one_of_another_version_is_refused(
        self, gateway: Gateway, cursor: str, traffic: Traffic, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("gateway.contacts.cursor.VERSION", 2)

        assert invalid_cursor(gateway, cursor) == "OUTDATED_CURSOR"
        assert traffic.calls == NOBODY

    def test_the_providers_own_cursor_is_not_one(self, gateway: Gateway, traffic: Traffic) -> None:
        assert invalid_cursor(gateway, "eyJpZCI6IDQ4MDkxLCAidG8iOiAibmV4dCJ9") == "MALFORMED_CURSOR"

    def test_it_is_opaque(self, cursor: str) -> None:
        assert cursor.isascii()
        assert not set(cursor) & set(" {}:\"'+/=")

    def test_a_provider_that_refuses_its_part_fails_alone(
        self, gateway: Gateway, sandbox: Sandbox, cursor: str
    ) -> None:
        sandbox.cometly.faults.add(Fault(kind="status", status=422, operation="list"))

        answer = gateway.send(
            "query($a: String) { contacts(first: 100, after: $a) { edges { node { id } } } }", a=cursor
        )

        (error,) = answer["errors"]
        assert (error["extensions"]["code"], error["extensions"]["provider"]) == ("INVALID_INPUT", "COMETLY")
        met = [edge["node"]["id"] for edge in answer["data"]["contacts"]["edges"] if edge]
        assert set(by_provider(met)) == {"gately", "klen"}

    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(garbage=st.one_of(st.text(max_size=200), st.binary(max_size=80).map(lambda raw: raw.hex())))
    @example(garbage="")
    @example(garbage="null")
    @example(garbage="[]")
    @example(garbage="=" * 40)
    @example(garbage="A" * 9_999)
    @example(garbage="A" * 100_000)
    @example(garbage="\u202e" * 50)
    def test_garbage_is_invalid_input(self, gateway: Gateway, traffic: Traffic, garbage: str) -> None:
        assert invalid_cursor(gateway, garbage) == "MALFORMED_CURSOR"
        assert traffic.calls == NOBODY


class TestProviders:
    @pytest.mark.parametrize(
        "field", ["contacts(first: 1, providers: [])", 'contactsByEmail(email: "a@b.test", providers: [])']
    )
    def test_nobody_cannot_be_asked(self, gateway: Gateway, traffic: Traffic, field: str) -> None:
        error = gateway.error(f"{{ {field} {{ sources {{ state }} }} }}")

        assert error["extensions"]["code"] == "INVALID_INPUT"
        assert [wrong["path"] for wrong in error["extensions"]["fields"]] == [["providers"]]
        assert traffic.calls == NOBODY

    def test_one_that_is_not_configured_cannot_be_named_but_may_be_left_out(
        self, start_gateway: Callable[..., Gateway], sandbox: Sandbox
    ) -> None:
        gateway = start_gateway(environment={"COMETLY_API_KEY": None})

        error = gateway.error(PAGE, first=5, providers=["KLEN", "COMETLY"])

        assert error["extensions"]["code"] == "INVALID_INPUT"
        assert error["extensions"]["fields"] == [
            {
                "path": ["providers"],
                "code": "NOT_CONFIGURED",
                "message": "COMETLY is not configured in this gateway; configured: GATELY, KLEN",
                "provider": "COMETLY",
            }
        ]
        assert by_provider(walked(gateway, 50)) == {name: stock(sandbox, name) for name in ("gately", "klen")}


def test_a_count_that_no_int_can_hold_is_not_known(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that counts beyond a GraphQL Int may cost the count, not the list."""
    honest = KlenConnector.list_page

    async def boastful(self: KlenConnector, request: PageRequest) -> RecordPage:
        return replace(await honest(self, request), total=2**40)

    monkeypatch.setattr(KlenConnector, "list_page", boastful)
    page = """query($after: String) { contacts(first: 2, after: $after, providers: [KLEN]) {
      totalCount pageInfo { endCursor } nodes { id }
    } }"""
    first = gateway.data(page)["contacts"]
    second = gateway.data(page, after=first["pageInfo"]["endCursor"])["contacts"]
    assert [(one["totalCount"], len(one["nodes"])) for one in (first, second)] == [(None, 2), (None, 2)]
