"""The nodes of a selected field, with what resolvers have read from them."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from graphql import FieldNode

T = TypeVar("T")


class PlannedNodes(list[FieldNode]):
    """Of one field in a plan. A plan is compiled for one case of the conditions in its operation, so what stands below
    these nodes is the same whenever it runs."""

    __slots__ = ("_read",)

    def __init__(self, nodes: list[FieldNode]) -> None:
        super().__init__(nodes)
        self._read: dict[Hashable, Any] = {}

    def remember(self, what: Hashable, read: Callable[[], T]) -> T:
        """What `read` told the first time. Few things are read of a field, so all of them are kept."""
        if what not in self._read:
            self._read[what] = read()
        found: T = self._read[what]
        return found
