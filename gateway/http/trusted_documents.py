"""Which document a request means, by its text or by an id, and whether it may run.

    off      what is sent as text; by Apollo's hash only where automatic persisted queries are on
    log      the same, and documents of the manifest by their ids; others run and are named in the log
    require  documents of the manifest and nothing else

Sources: GraphQL over HTTP (draft), appendix Persisted Documents, for `documentId`; Apollo Client, PersistedQueryLink,
for `extensions.persistedQuery`. Statuses as Apollo Router's: 404 for an id that is not known, 403 for a text.
"""

import re
from typing import Literal, TypeAlias

import msgspec
import structlog

from gateway.http.documents import any_document
from gateway.http.graphql_request import GraphQLParameters
from gateway.http.manifest import SHA256, CheckDocument, Manifest, WrongManifest, read_manifest, refusals, sha256
from gateway.http.persisted_queries import PersistedQueries
from gateway.http.refusal import RequestRefused
from gateway.http.result import Execute, Executed, GraphQLRequest, GraphQLResult
from gateway.http.settings import HttpSettings

log = structlog.get_logger("gateway")

Trust: TypeAlias = Literal["off", "log", "require"]

# Texts with literals in them are new each time; whoever has this many needs no longer list.
MAX_LOGGED = 1_000
_SHA256_HEX = re.compile(r"[0-9a-f]{64}")
# As Apollo Server says it: the same URL will have another answer once the document is known.
_NOT_KEPT = {"Cache-Control": "private, no-cache, must-revalidate"}


class KnownDocuments:
    """The `Documents` of a gateway; `persisted` is None where automatic persisted queries are off."""

    def __init__(
        self, trust: Trust = "off", manifest: Manifest | None = None, persisted: PersistedQueries | None = None
    ) -> None:
        self._trust = trust
        self._manifest = manifest or Manifest(())
        self._persisted = persisted
        self._logged: set[str] = set()

    def __call__(self, parameters: GraphQLParameters) -> str:
        text = parameters.query if parameters.query and parameters.query.strip() else None
        if text is not None and self._trust == "require" and not self._manifest.holds(text):
            raise _not_trusted(403, "This document is not one of those that the gateway takes.")
        sent, apollo_hash = text, _apollo_hash(parameters)
        if parameters.document_id is not None:
            text = self._meant(parameters.document_id, text, apollo=False)
        if apollo_hash is not None:
            text = self._meant(apollo_hash, text, apollo=True)
        if text is None:
            return any_document(parameters)
        return _ToKeep(text) if self._persisted and sent is not None and apollo_hash is not None else text

    def watching(self, execute: Execute) -> Execute:
        """`execute`, and what its requests teach about documents: one that has run is worth keeping or telling."""
        if self._persisted is None and self._trust != "log":
            return execute

        async def executed(request: GraphQLRequest) -> Executed:
            result = await execute(request)
            if not isinstance(result, GraphQLResult) or result.status == 200:
                self._ran(request)
            return result

        return executed

    def _meant(self, document_id: str, text: str | None, *, apollo: bool) -> str:
        if self._trust == "off" and not apollo:
            raise _not_supported("This gateway knows no document by an id: send its text as `query`.")
        found = self._manifest.find(document_id)
        if found is None and apollo and self._persisted:
            found = self._persisted.find(document_id)
        if text is None:
            if found is None:
                raise self._unknown(apollo=apollo)
            return found
        if text != found and (found is not None or not self._may_mean(document_id, text)):
            message = "The id does not stand for the document that was sent with it."
            raise RequestRefused(400, "DOCUMENT_ID_MISMATCH", message)
        return text

    def _may_mean(self, document_id: str, text: str) -> bool:
        """Whether an id that is not known can be that of the text."""
        payload = document_id.removeprefix(SHA256)
        if payload != document_id or _SHA256_HEX.fullmatch(payload):
            return payload == sha256(text)
        # An id of another kind proves nothing; while a manifest is tried out it is no reason to refuse.
        return self._trust == "log"

    def _unknown(self, *, apollo: bool) -> RequestRefused:
        if self._trust == "require":
            return _not_trusted(404, "No document is known by this id, and only known documents are taken.")
        if self._trust == "off" and not self._persisted:
            return _not_supported("PersistedQueryNotSupported")
        # Apollo's clients know this error by its message as well as by its code, and send the text.
        message = "PersistedQueryNotFound" if apollo else "No document is known by this id: send its text as `query`."
        return RequestRefused(404, "PERSISTED_QUERY_NOT_FOUND", message, _NOT_KEPT, json_status=200)

    def _ran(self, request: GraphQLRequest) -> None:
        if self._persisted and isinstance(request.query, _ToKeep):
            self._persisted.keep(str(request.query))
        if self._trust == "log" and not self._manifest.holds(request.query):
            self._tell(request)

    def _tell(self, request: GraphQLRequest) -> None:
        text_hash = sha256(request.query)
        if text_hash in self._logged or len(self._logged) >= MAX_LOGGED:
            return
        self._logged.add(text_hash)
        log.warning("document_not_in_manifest", sha256=text_hash, operation=request.operation_name)
        if len(self._logged) == MAX_LOGGED:
            log.warning("further_documents_not_in_manifest_are_not_named", named=MAX_LOGGED)


def known_documents(settings: HttpSettings, check: CheckDocument) -> KnownDocuments:
    """What the settings say, with every document of the manifest checked.

    Raises:
        WrongManifest: for files that are wrong, and where only known documents are taken, for a document that would
            be refused. Where others are taken too, that is a warning.
    """
    persisted = PersistedQueries() if settings.automatic_persisted_queries == "on" else None
    if settings.trusted_documents == "off":
        return KnownDocuments(persisted=persisted)
    manifest = read_manifest(settings.trusted_documents_files)
    refused = refusals(manifest, check)
    if refused and settings.trusted_documents == "require":
        raise WrongManifest(refused)
    for problem in refused:
        log.warning("document_would_be_refused", problem=problem)
    return KnownDocuments(settings.trusted_documents, manifest, persisted)


class _ToKeep(str):
    """A text that came with its own hash: it is kept under it, once it has run."""

    __slots__ = ()


class _PersistedQuery(msgspec.Struct, frozen=True):
    version: Literal[1]
    hash: str = msgspec.field(name="sha256Hash")


def _apollo_hash(parameters: GraphQLParameters) -> str | None:
    extension = (parameters.extensions or {}).get("persistedQuery")
    if extension is None:
        return None
    try:
        return msgspec.convert(extension, _PersistedQuery).hash
    except msgspec.ValidationError as error:
        message = f"`extensions.persistedQuery` is not {{version: 1, sha256Hash: …}}: {str(error).replace('`', '')}."
        raise RequestRefused(400, "BAD_REQUEST", message) from None


def _not_supported(message: str) -> RequestRefused:
    return RequestRefused(400, "PERSISTED_QUERY_NOT_SUPPORTED", message, _NOT_KEPT, json_status=200)


def _not_trusted(status: int, message: str) -> RequestRefused:
    return RequestRefused(status, "DOCUMENT_NOT_TRUSTED", message, _NOT_KEPT)
