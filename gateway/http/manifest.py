"""Files that say which documents a frontend may send, as its tools write them; read strictly.

Two formats, told apart by their content: Apollo's manifest (apollo-persisted-query-manifest, version 1), and the map
from id to document that Relay's compiler (`persistConfig.file`) and GraphQL Code Generator's client preset
(`persisted-documents.json`) write. An id means nothing by itself: it may be any hash, or none. One that begins with
sha256: has to be what the appendix Persisted Documents of GraphQL over HTTP (draft) says, the hash of the text.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import jiter
import msgspec

SHA256 = "sha256:"


class WrongManifest(Exception):
    """A file, or what several of them say together; each of `problems` names the file, the place and what is wrong."""

    def __init__(self, problems: Sequence[str]) -> None:
        others = f" ({len(problems) - 1} more; `gateway documents --check` lists them all.)"
        super().__init__(f"{problems[0]}{others if len(problems) > 1 else ''}")
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedDocument:
    """`place` is the file and where in it. `operation` is what the file says about the text: "query Contacts"."""

    id: str
    text: str
    place: str
    operation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedDocument:
    """`operations` are those of the text, such as "query Contacts"; `problems` is what it would be refused for."""

    operations: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


CheckDocument: TypeAlias = Callable[[str], CheckedDocument]
"""Holds the text of a document against the schema and the limits."""


class Manifest:
    """The documents of all files.

    Raises:
        WrongManifest: when an id stands for two documents.
    """

    def __init__(self, documents: Iterable[ListedDocument]) -> None:
        self.documents = tuple(documents)
        self._by_id: dict[str, ListedDocument] = {}
        self._by_hash = {sha256(listed.text): listed for listed in self.documents}
        self._texts = frozenset(listed.text for listed in self.documents)
        problems = [problem for listed in self.documents for problem in self._add(listed)]
        if problems:
            raise WrongManifest(problems)

    def find(self, document_id: str) -> str | None:
        """By the id of a file, or by the SHA-256 of the text, with or without sha256: before it."""
        listed = self._by_id.get(document_id) or self._by_hash.get(document_id.removeprefix(SHA256))
        return listed.text if listed else None

    def holds(self, text: str) -> bool:
        return text in self._texts

    def _add(self, listed: ListedDocument) -> Iterable[str]:
        other = self._by_id.setdefault(listed.id, listed)
        if other.text == listed.text:
            # A caller who means one by its hash would get the other by its id.
            other = self._by_hash.get(listed.id, listed)
        if other.text != listed.text:
            yield f"{listed.place}: the id stands for another document in {other.place}."
        if listed.id.startswith(SHA256) and listed.id != SHA256 + sha256(listed.text):
            yield f"{listed.place}: the id is not the SHA-256 of the document."


def sha256(text: str) -> str:
    """In lower-case hexadecimal, of the text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_manifest(paths: Iterable[Path]) -> Manifest:
    """
    Raises:
        WrongManifest: with every problem of every file.
    """
    documents: list[ListedDocument] = []
    problems: list[str] = []
    for path in paths:
        try:
            documents += _read_file(path)
        except WrongManifest as wrong:
            problems += wrong.problems
    if problems:
        raise WrongManifest(problems)
    return Manifest(documents)


def refusals(manifest: Manifest, check: CheckDocument) -> list[str]:
    """The documents that would be refused, each with its place, its operation and why."""
    found: list[str] = []
    for listed in manifest.documents:
        checked = check(listed.text)
        problems = list(checked.problems)
        if not problems and listed.operation and listed.operation not in checked.operations:
            problems.append(f"The document has no {listed.operation}.")
        operations = ", ".join(checked.operations) or listed.operation
        named = f" ({operations})" if operations else ""
        found += [f"{listed.place}{named}: {problem}" for problem in problems]
    return found


class _Operation(msgspec.Struct, rename="camel", forbid_unknown_fields=True, frozen=True, kw_only=True):
    id: str
    name: str
    type: Literal["query", "mutation", "subscription"]
    body: str
    # Which of Apollo's clients it is for; here a document is for every caller.
    client_name: str | None = None


class _ApolloManifest(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    format: Literal["apollo-persisted-query-manifest"]
    version: Literal[1]
    operations: list[Any]


def _read_file(path: Path) -> list[ListedDocument]:
    try:
        content = jiter.from_json(path.read_bytes(), allow_inf_nan=False, catch_duplicate_keys=True)
    except OSError as error:
        raise WrongManifest([f"{path}: cannot be read ({error.strerror})."]) from None
    except ValueError as error:
        raise WrongManifest([f"{path}: is not JSON in UTF-8: {error}."]) from None
    if not isinstance(content, dict):
        raise WrongManifest([f"{path}: is neither Apollo's manifest nor a map from ids to documents."])
    documents = _from_apollo(path, content) if {"format", "operations"} & set(content) else _from_map(path, content)
    if not documents:
        raise WrongManifest([f"{path}: holds no document."])
    blank = [f"{listed.place}: is blank." for listed in documents if not (listed.id.strip() and listed.text.strip())]
    if blank:
        raise WrongManifest(blank)
    return documents


def _from_apollo(path: Path, content: dict[str, Any]) -> list[ListedDocument]:
    manifest = _convert(content, _ApolloManifest, str(path))
    documents: list[ListedDocument] = []
    problems: list[str] = []
    for index, value in enumerate(manifest.operations):
        try:
            one = _convert(value, _Operation, f"{path}, operations[{index}]")
        except WrongManifest as wrong:
            problems += wrong.problems
            continue
        place = f'{path}, operations[{index}] "{one.id}"'
        documents.append(ListedDocument(id=one.id, text=one.body, place=place, operation=f"{one.type} {one.name}"))
    if problems:
        raise WrongManifest(problems)
    return documents


def _from_map(path: Path, content: dict[str, Any]) -> list[ListedDocument]:
    wrong = [f'{path}, "{name}": is not the text of a document.' for name in content if type(content[name]) is not str]
    if wrong:
        raise WrongManifest(wrong)
    return [ListedDocument(id=name, text=text, place=f'{path}, "{name}"') for name, text in content.items()]


def _convert(value: Any, shape: Any, place: str) -> Any:
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        raise WrongManifest([f"{place}: {str(error).replace('`', '')}."]) from None
