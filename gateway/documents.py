"""The documents that a gateway knows, held against its schema and its rules before it takes them."""

from collections.abc import Iterable
from pathlib import Path

from gateway.http.manifest import CheckDocument, WrongManifest, read_manifest, refusals, sha256
from gateway.http.trusted_documents import KnownDocuments, known_documents
from gateway.settings import GatewaySettings, WrongSettings
from resolvers.document_check import document_check
from resolvers.execution import Rules
from resolvers.schema import build_schema


def execution_rules(settings: GatewaySettings) -> Rules:
    return Rules(
        limits=settings,
        query_seconds=settings.query_deadline_seconds,
        mutation_seconds=settings.mutation_deadline_seconds,
        introspection=settings.shows(settings.introspection),
        tells_providers=settings.tell_providers == "on",
        document_cache_characters=settings.document_cache_characters,
        compiles_plans=settings.compiled_plans == "on",
        shares_answers=settings.shared_answers == "on",
    )


def known_or_say_why(settings: GatewaySettings, check: CheckDocument) -> KnownDocuments:
    """
    Raises:
        WrongSettings: in the place of manifests that are wrong.
    """
    try:
        return known_documents(settings, check)
    except WrongManifest as error:
        raise WrongSettings(f"GATEWAY_TRUSTED_DOCUMENTS_FILES: {error}") from None


def list_documents(files: Iterable[Path]) -> list[str]:
    """A line for each document of these manifests.

    Raises:
        WrongManifest
    """
    return [f"sha256:{sha256(listed.text)}  {listed.place}" for listed in read_manifest(files).documents]


def check_documents(settings: GatewaySettings, files: Iterable[Path]) -> list[str]:
    """Everything for which a gateway with these settings would refuse these manifests.

    Raises:
        WrongManifest
    """
    return refusals(read_manifest(files), document_check(build_schema(), execution_rules(settings)))
