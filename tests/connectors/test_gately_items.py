"""What an item of Gately's list tells: what every one shows, and what this one mentions."""

from itertools import chain, combinations

import pytest

from gateway.connectors.gately import wire
from gateway.connectors.gately.known import _BESIDE, _KEYS, LISTED, listed, told

# Each key that decides about a field that not every item tells.
KEYS = tuple(chain.from_iterable(_KEYS[field] for field in _BESIDE))
SOME = tuple(chain.from_iterable(combinations(KEYS, count) for count in (0, 1, 2, len(KEYS) - 1, len(KEYS))))


@pytest.mark.parametrize("value", [None, "", "x"])
def test_it_tells_what_it_mentions_beside_what_every_item_does(value):
    for keys in SOME:
        item = wire.Contact(id="a", **dict.fromkeys(keys, value))
        assert listed(item) == LISTED | told(item), keys


def test_it_tells_everything_when_it_mentions_everything():
    item = wire.Contact(id="a", **dict.fromkeys(KEYS))
    assert listed(item) == frozenset(_KEYS)
