"""Which records are one contact: linked, unlinked, followed and forgotten, with every old id still working."""

import asyncio
import re
import sqlite3
from contextlib import closing
from itertools import chain

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.domain.contact import Provider, RecordKey
from gateway.store.link_statements import CHUNK, related_in_sqlite
from gateway.store.links import Family, LinkStore
from gateway.store.statements import sqlite_driver

PRECEDENCE = (Provider.GATELY, Provider.KLEN, Provider.COMETLY)
GATELY, GATELY_2 = RecordKey(Provider.GATELY, "a"), RecordKey(Provider.GATELY, "b")
KLEN, KLEN_2 = RecordKey(Provider.KLEN, "1"), RecordKey(Provider.KLEN, "2")
COMETLY, COMETLY_2, COMETLY_3 = (RecordKey(Provider.COMETLY, text) for text in "123")


def rank(key):
    return (PRECEDENCE.index(key.provider), key.remote_id)


def family(*members, of=None):
    """The first member is the anchor; `of` is the one that was looked up, the anchor when left out."""
    return Family(members[0], frozenset(members), of or members[0])


def family_of(links, run, key):
    return run(links.families([key]))[key]


def test_a_record_on_its_own_is_its_own_anchor_without_a_row(links, run):
    assert run(links.families([GATELY, KLEN])) == {GATELY: family(GATELY), KLEN: family(KLEN)}


def test_nobody_has_no_families(links, run):
    assert run(links.families([])) == {}


def test_linked_records_are_one_family_anchored_by_rank(links, run):
    assert run(links.link([COMETLY, GATELY, KLEN], rank)) == family(GATELY, KLEN, COMETLY)
    assert run(links.families([COMETLY, GATELY, KLEN_2])) == {
        COMETLY: family(GATELY, KLEN, COMETLY, of=COMETLY),
        GATELY: family(GATELY, KLEN, COMETLY),
        KLEN_2: family(KLEN_2),
    }


def test_only_those_that_are_not_alone_are_told_as_linked(links, run):
    """A replaced id and a record whose contact is gone are not alone, though there is one record."""
    run(links.link([COMETLY, GATELY], rank))
    run(links.follow(KLEN, KLEN_2, rank))
    run(links.link([COMETLY_2, COMETLY_3], rank))
    run(links.mark_gone([COMETLY_2]))
    every = [GATELY, GATELY_2, COMETLY, COMETLY_2, COMETLY_3, KLEN, KLEN_2]
    families = run(links.families(every))
    assert run(links.linked(every)) == {key: families[key] for key in every if key not in (GATELY_2, KLEN_2)}


def test_nobody_is_linked_where_there_are_no_links(links, run):
    assert run(links.linked([GATELY, KLEN])) == {}
    assert run(links.linked([])) == {}


def test_linking_families_unites_all_that_they_hold(links, run):
    run(links.link([KLEN, COMETLY], rank))
    run(links.link([GATELY_2, KLEN_2], rank))
    assert run(links.link([COMETLY, KLEN_2], rank)) == family(GATELY_2, KLEN, KLEN_2, COMETLY)


def test_linking_what_is_linked_changes_nothing(links, run):
    once = run(links.link([GATELY, KLEN], rank))
    assert run(links.link([KLEN, GATELY], rank)) == once
    assert run(links.link([KLEN], rank)) == once


def test_linking_one_record_writes_no_row(links, run):
    assert run(links.link([KLEN], rank)) == family(KLEN)
    assert run(links.count_hidden(PRECEDENCE)) == 0


# Unlinking


def test_an_unlinked_record_stands_alone_and_the_rest_stays_together(links, run):
    run(links.link([GATELY, KLEN, COMETLY], rank))
    assert run(links.unlink(KLEN, rank)) == (family(KLEN), family(GATELY, COMETLY))
    assert family_of(links, run, KLEN) == family(KLEN, of=KLEN)
    assert family_of(links, run, COMETLY) == family(GATELY, COMETLY, of=COMETLY)


def test_when_the_anchor_leaves_the_next_in_rank_takes_its_place(links, run):
    run(links.link([GATELY, KLEN, COMETLY], rank))
    assert run(links.unlink(GATELY, rank)) == (family(GATELY), family(KLEN, COMETLY))
    assert family_of(links, run, COMETLY) == family(KLEN, COMETLY, of=COMETLY)
    assert family_of(links, run, GATELY) == family(GATELY, of=GATELY)


def test_unlinking_one_of_two_leaves_two_on_their_own(links, run):
    run(links.link([GATELY, KLEN], rank))
    assert run(links.unlink(GATELY, rank)) == (family(GATELY), family(KLEN))
    assert run(links.count_hidden(PRECEDENCE)) == 0


def test_unlinking_what_is_alone_leaves_nothing_behind(links, run):
    assert run(links.unlink(GATELY, rank)) == (family(GATELY), None)


def test_an_unlinked_record_can_be_linked_again(links, run):
    run(links.link([GATELY, KLEN], rank))
    run(links.unlink(KLEN, rank))
    assert run(links.link([GATELY, KLEN], rank)) == family(GATELY, KLEN)


# Following a replaced id


def test_a_replaced_id_leads_to_the_new_one(links, run):
    run(links.follow(COMETLY, COMETLY_2, rank))
    assert family_of(links, run, COMETLY) == family(COMETLY_2, of=COMETLY_2)
    assert family_of(links, run, COMETLY_2) == family(COMETLY_2, of=COMETLY_2)


def test_a_replaced_id_takes_its_links_along(links, run):
    run(links.link([GATELY, COMETLY], rank))
    run(links.follow(COMETLY, COMETLY_2, rank))
    for key in (GATELY, COMETLY, COMETLY_2):
        assert family_of(links, run, key) == family(GATELY, COMETLY_2, of=COMETLY_2 if key == COMETLY else key)


def test_a_replaced_anchor_is_replaced_as_an_anchor(links, run):
    run(links.link([COMETLY, COMETLY_3], rank))
    run(links.follow(COMETLY, COMETLY_2, rank))
    for key in (COMETLY, COMETLY_2, COMETLY_3):
        assert family_of(links, run, key) == family(COMETLY_2, COMETLY_3, of=COMETLY_2 if key == COMETLY else key)


def test_the_families_of_the_old_and_the_new_id_are_united(links, run):
    run(links.link([GATELY, COMETLY], rank))
    run(links.link([KLEN, COMETLY_2], rank))
    run(links.follow(COMETLY, COMETLY_2, rank))
    for key in (GATELY, KLEN, COMETLY, COMETLY_2):
        assert family_of(links, run, key) == family(GATELY, KLEN, COMETLY_2, of=COMETLY_2 if key == COMETLY else key)


def test_a_chain_of_replaced_ids_leads_to_the_last_from_everywhere(links, run):
    run(links.link([GATELY, COMETLY], rank))
    run(links.follow(COMETLY, COMETLY_2, rank))
    run(links.follow(COMETLY_2, COMETLY_3, rank))
    for key in (GATELY, COMETLY, COMETLY_2, COMETLY_3):
        assert family_of(links, run, key) == family(GATELY, COMETLY_3, of=key if key == GATELY else COMETLY_3)


def test_following_twice_is_the_same_as_once(links, run):
    run(links.link([GATELY, COMETLY], rank))
    run(links.follow(COMETLY, COMETLY_2, rank))
    run(links.follow(COMETLY, COMETLY_2, rank))
    assert family_of(links, run, COMETLY) == family(GATELY, COMETLY_2, of=COMETLY_2)


def test_an_id_that_comes_back_to_life_is_followed_back(links, run):
    run(links.follow(COMETLY, COMETLY_2, rank))
    run(links.follow(COMETLY_2, COMETLY, rank))
    for key in (COMETLY, COMETLY_2):
        assert family_of(links, run, key) == family(COMETLY, of=COMETLY)


def test_a_replaced_id_can_be_linked_and_unlinked_by_its_old_name(links, run):
    run(links.follow(COMETLY, COMETLY_2, rank))
    assert run(links.link([COMETLY, GATELY], rank)) == family(GATELY, COMETLY_2)
    assert run(links.unlink(COMETLY, rank)) == (family(COMETLY_2), family(GATELY))


def test_an_id_of_one_provider_is_not_that_of_another(links, run):
    run(links.follow(COMETLY, COMETLY_2, rank))
    assert family_of(links, run, KLEN) == family(KLEN, of=KLEN)


# Counting and forgetting


def test_hidden_are_the_records_behind_the_first_of_their_contact(links, run):
    run(links.link([GATELY, KLEN, COMETLY], rank))
    run(links.link([KLEN_2, COMETLY_2], rank))
    assert run(links.count_hidden(PRECEDENCE)) == 3
    assert run(links.count_hidden([Provider.KLEN, Provider.COMETLY])) == 2
    assert run(links.count_hidden([Provider.KLEN])) == 0
    assert run(links.count_hidden([])) == 0


def test_two_records_of_one_provider_hide_one(links, run):
    run(links.link([COMETLY, COMETLY_2], rank))
    assert run(links.count_hidden([Provider.COMETLY])) == 1


def test_a_forgotten_contact_leaves_no_rows(links, run):
    run(links.link([GATELY, KLEN], rank))
    run(links.link([KLEN_2, COMETLY], rank))
    run(links.forget(family(GATELY, KLEN)))
    assert run(links.families([GATELY, KLEN, COMETLY])) == {
        GATELY: family(GATELY),
        KLEN: family(KLEN),
        COMETLY: family(KLEN_2, COMETLY, of=COMETLY),
    }


def test_forgetting_a_stranger_changes_nothing(links, run):
    run(links.link([GATELY, KLEN], rank))
    run(links.forget(family(COMETLY)))
    assert family_of(links, run, KLEN) == family(GATELY, KLEN, of=KLEN)


# Many


def test_more_keys_than_fit_one_statement_are_read_and_written_at_once(links, run):
    keys = [RecordKey(Provider.COMETLY, f"{n:04}") for n in range(3 * CHUNK)]
    whole = run(links.link(keys, rank))
    assert whole == family(*keys)
    assert run(links.families(keys)) == {key: family(*keys, of=key) for key in keys}


KEYS = st.sampled_from([RecordKey(provider, text) for provider in Provider for text in "12"])
STEPS = st.lists(
    st.tuples(st.just("link"), st.lists(KEYS, min_size=1, max_size=3)) | st.tuples(st.just("unlink"), KEYS),
    max_size=8,
)


@given(STEPS)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_families_are_always_a_partition_anchored_by_rank(links, run, steps):
    """Held against the simplest model: a set of sets."""
    every = [RecordKey(provider, text) for provider in Provider for text in "12"]
    run(links.forget(family(*every)))
    model = [{key} for key in every]
    for step, what in steps:
        touched = what if step == "link" else [what]
        united = set(chain.from_iterable(group for group in model if group & set(touched)))
        model = [group for group in model if not group & united]
        if step == "link":
            model.append(united)
            run(links.link(what, rank))
        else:
            model += [{what}] + ([united - {what}] if united != {what} else [])
            run(links.unlink(what, rank))
    expected = {key: Family(min(group, key=rank), frozenset(group), key) for group in model for key in group}
    assert run(links.families(every)) == expected


# Two gateways


def test_two_gateways_that_link_at_once_lose_nothing(open_another, run):
    one, other = LinkStore(open_another()), LinkStore(open_another())
    hub = GATELY
    spokes = [RecordKey(Provider.COMETLY, str(n)) for n in range(24)]

    async def link_all():
        stores = [one, other] * 12
        calls = (store.link([hub, spoke], rank) for store, spoke in zip(stores, spokes, strict=True))
        return await asyncio.gather(*calls, return_exceptions=True)

    assert [failure for failure in run(link_all()) if isinstance(failure, Exception)] == []
    assert family_of(other, run, spokes[0]) == family(hub, *spokes, of=spokes[0])
    assert family_of(one, run, spokes[-1]) == family(hub, *spokes, of=spokes[-1])


def test_links_stand_for_every_gateway(open_another, run):
    run(LinkStore(open_another()).link([GATELY, KLEN], rank))
    assert family_of(LinkStore(open_another()), run, KLEN) == family(GATELY, KLEN, of=KLEN)


def whole_tables_read(connection, statements):
    """Which of them SQLite would carry out by reading all of a table."""
    plans = {one: [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {one}")] for one in statements}
    names = ("links", "aliases", "own", "member", "operations", "operation_targets")
    return {one: plan for one, plan in plans.items() if {f"SCAN {name}" for name in names} & set(plan)}


def test_no_table_is_read_as_a_whole_for_a_few_keys(of_a_file, run, file):
    """However many contacts are linked, a page of them or one write takes as long."""
    links, seen = LinkStore(of_a_file), []
    keys = [GATELY, KLEN, COMETLY]
    run(of_a_file.write(lambda connection: sqlite_driver(connection).set_trace_callback(seen.append)))
    run(links.link(keys, rank))
    run(links.link([GATELY, KLEN_2], rank))
    run(links.follow(COMETLY, COMETLY_2, rank))
    run(links.mark_gone([KLEN, COMETLY_2]))
    run(links.unlink(KLEN_2, rank))
    run(links.forget(family_of(links, run, GATELY)))
    changes = {one for one in seen if one.split()[0] in ("WITH", "SELECT", "UPDATE", "DELETE")}
    with closing(sqlite3.connect(file)) as connection:
        assert len(changes) > 10
        assert whole_tables_read(connection, changes) == {}
        for count in (1, 2, 3, CHUNK):
            statement = re.sub(r"\?[0-9]+", "'a'", related_in_sqlite(count))
            assert whole_tables_read(connection, [statement]) == {}
