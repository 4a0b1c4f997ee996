"""Settings of the HTTP face: what it takes, from whom, and for how long it waits."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Wait = Annotated[float, Field(gt=0, le=600, allow_inf_nan=False)]


# RFC 6454, section 7.1, as a browser sends it.
_ORIGIN = re.compile(r"https?://[a-z0-9.\-\[\]:]+")
_HOST = re.compile(r"\*|(?:\*\.)?[a-z0-9_\-]+(?:\.[a-z0-9_\-]+)*|\[[0-9a-f:.]+\]")


class HttpSettings(BaseSettings):
    # A part of GatewaySettings, which alone reads anything: a validator of its own would never be used.
    model_config = SettingsConfigDict(defer_build=True)

    max_body_bytes: int = Field(
        262_144, ge=1024, le=67_108_864, description="the largest request body in bytes, 1024 to 67108864"
    )
    max_json_depth: int = Field(32, ge=4, le=128, description="how deep JSON in a request may nest, 4 to 128")
    body_timeout_seconds: Wait = Field(10.0, description="how long a request's body may take, seconds, at most 600")
    websocket_init_seconds: Wait = Field(
        3.0, description="how long a WebSocket may wait before its connection_init, seconds, at most 600"
    )
    max_subscriptions: int = Field(
        100, ge=1, le=10_000, description="operations at the same time on one WebSocket, 1 to 10000"
    )
    stream_keep_alive_seconds: Wait = Field(
        12.0, description="seconds of silence after which an event stream gets a comment, at most 600"
    )
    send_timeout_seconds: Wait = Field(
        10.0, description="how long a WebSocket's client may leave unread what is sent to it, seconds, at most 600"
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="origins whose pages may call the gateway, by commas, such as https://app.example.com"
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="host names that are answered beside the loopback's, by commas, such as api.example.com,"
        " *.example.com or *; when empty, * where callers have to authenticate, else none",
    )
    header_timeout_seconds: Wait = Field(
        10.0, description="how long a request's line and headers may take, seconds, at most 600"
    )
    keep_alive_seconds: Wait = Field(30.0, description="how long a connection may rest, seconds, at most 600")
    write_timeout_seconds: Wait = Field(
        30.0, description="how long an answer may wait for its reader, seconds, at most 600"
    )
    max_header_bytes: int = Field(
        16_384, ge=1024, le=1_048_576, description="the largest request line and headers in bytes, 1024 to 1048576"
    )
    max_connections: int = Field(1_000, ge=1, le=1_000_000, description="connections at a time, 1 to 1000000")

    graphiql: Literal["on", "off"] | None = Field(
        None, description="on or off: whether browsers get GraphiQL; unless set, only in development"
    )
    introspection: Literal["on", "off"] | None = Field(
        None,
        description="on or off: whether the schema may be asked for and errors suggest names; unless set, only in"
        " development",
    )
    trusted_documents: Literal["off", "log", "require"] = Field(
        "off", description="off, log (documents that no file lists run, and are logged) or require (they are refused)"
    )
    trusted_documents_files: Annotated[tuple[Path, ...], NoDecode] = Field(
        (),
        description="manifests of Apollo, Relay or GraphQL Code Generator, by commas, such as web.json,admin.json",
    )
    document_cache_characters: int = Field(
        200_000,
        ge=0,
        le=100_000_000,
        description="text of documents that passed and are not checked again, 0 to 100000000 characters; takes a"
        " hundred bytes for each, with GATEWAY_COMPILED_PLANS up to five hundred",
    )
    compiled_plans: Literal["on", "off"] = Field(
        "on", description="on or off: operations of documents that are kept so are compiled, and executed faster"
    )
    shared_answers: Literal["on", "off"] = Field(
        "on", description="on; off executes each query for itself, also where the same one is under way"
    )
    automatic_persisted_queries: Literal["off", "on"] = Field(
        "off", description="off, or on: a document that came with its SHA-256 is found by it afterwards"
    )

    @field_validator("trusted_documents_files")
    @classmethod
    def _has_documents(cls, files: tuple[Path, ...], info: ValidationInfo) -> tuple[Path, ...]:
        if not files and info.data.get("trusted_documents", "off") != "off":
            raise ValueError("names no file, but GATEWAY_TRUSTED_DOCUMENTS is not off")
        return files

    @field_validator("automatic_persisted_queries")
    @classmethod
    def _takes_no_strangers(cls, switch: str, info: ValidationInfo) -> str:
        if switch == "on" and info.data.get("trusted_documents") == "require":
            raise ValueError("cannot be on while GATEWAY_TRUSTED_DOCUMENTS is require")
        return switch

    @field_validator("cors_origins", "allowed_hosts", "trusted_documents_files", mode="before")
    @classmethod
    def _split_by_commas(cls, value: Any) -> Any:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError("not an origin: scheme and host, perhaps a port, and nothing after it")
        return origins

    @field_validator("allowed_hosts")
    @classmethod
    def _are_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        hosts = tuple(host.lower() for host in hosts)
        if not all(_HOST.fullmatch(host) for host in hosts):
            raise ValueError("not a host name without scheme and port")
        return hosts


class DocumentLimits(BaseSettings):
    """What one GraphQL document may ask for. Held by resolvers.limits, each refusal with what was measured."""

    # A part of GatewaySettings, which alone reads anything: a validator of its own would never be used.
    model_config = SettingsConfigDict(defer_build=True)

    max_document_tokens: int = Field(5_000, ge=100, le=100_000, description="tokens of a document, 100 to 100000")
    max_depth: int = Field(12, ge=1, le=100, description="fields nested in one another, 1 to 100")
    max_list_depth: int = Field(4, ge=1, le=20, description="lists nested in one another, 1 to 20")
    max_self_reference: int = Field(
        1, ge=1, le=20, description="how often one field, such as ContactRecord.contact, may stand on one path, 1 to 20"
    )
    max_introspection_depth: int = Field(
        2, ge=1, le=10, description="lists of fields or types nested below __schema or __type, 1 to 10"
    )
    max_aliases: int = Field(50, ge=0, le=10_000, description="aliases in a document, 0 to 10000")
    max_repeated_names: int = Field(
        100, ge=1, le=10_000, description="how often one name of an answer may be selected at one place, 1 to 10000"
    )
    max_merged_fields: int = Field(
        20_000, ge=1_000, le=1_000_000, description="fields of a document, each fragment unfolded, 1000 to 1000000"
    )
    max_directives: int = Field(50, ge=0, le=10_000, description="directives in a document, 0 to 10000")
    max_directives_per_node: int = Field(5, ge=0, le=100, description="directives at one place, 0 to 100")
    max_root_fields: int = Field(20, ge=1, le=1_000, description="fields at the root of an operation, 1 to 1000")
    max_operations: int = Field(20, ge=1, le=1_000, description="operations in a document, 1 to 1000")
    max_fragments: int = Field(100, ge=0, le=1_000, description="fragments defined in a document, 0 to 1000")
    max_variables: int = Field(50, ge=0, le=1_000, description="variables defined in a document, 0 to 1000")
    max_cost: float = Field(
        10_000,
        gt=0,
        le=1e12,
        allow_inf_nan=False,
        description="estimated cost of an operation, more than 0 and at most 1e12",
    )
    tell_cost: Literal["on", "off"] = Field(
        "on", description="on or off: tell the estimated cost in extensions.cost of every answer"
    )
    validation_seconds: Wait = Field(
        1.0, description="how long checking a document may take, seconds of processor time, at most 600"
    )
