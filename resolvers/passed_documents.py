"""Documents that have passed every look at them alone, so that the same text is not parsed and checked again.

What depends on variables (their values, the cost, what is put off) and on the caller is looked at for every request.
"""

from dataclasses import dataclass

from cachetools import LRUCache
from graphql import DocumentNode, OperationDefinitionNode

# One large document may not drive the others out.
_LARGEST_SHARE = 10


@dataclass(frozen=True, slots=True)
class Asked:
    """A document, and the operation of it that is to run. `passed`: it need not be looked at again."""

    document: DocumentNode
    operation: OperationDefinitionNode
    passed: bool = False


@dataclass(frozen=True, slots=True)
class _Kept:
    asked: Asked
    characters: int


class PassedDocuments:
    """Those asked for last, up to `max_characters` of text together; what is built of a text takes a hundred times its
    size. Only what has passed is kept, so nobody fills it with what is refused."""

    def __init__(self, max_characters: int) -> None:
        self._max_characters = max_characters
        self._kept: LRUCache[tuple[str, str | None], _Kept] = LRUCache(
            max_characters, getsizeof=lambda kept: kept.characters
        )

    def find(self, text: str, operation_name: str | None) -> Asked | None:
        kept = self._kept.get((text, operation_name))
        return kept.asked if kept else None

    def keep(self, text: str, operation_name: str | None, asked: Asked) -> None:
        """`asked` has passed. A document of several operations is kept once for each that is asked for."""
        if len(text) * _LARGEST_SHARE <= self._max_characters:
            passed = Asked(asked.document, asked.operation, passed=True)
            self._kept[text, operation_name] = _Kept(passed, len(text))
