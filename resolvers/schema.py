"""The schema: put together from the types, printed as schema.graphql."""

from typing import Any

import strawberry
from strawberry.extensions import MaxTokensLimiter
from strawberry.schema.config import StrawberryConfig

import resolvers.enums  # noqa: F401  (registers the enums before any type refers to them)
from resolvers.contact import Contact, ContactRecord
from resolvers.limits import DepthLimit, OneOperation, OperationScope
from resolvers.mutations import Mutation
from resolvers.payloads import ProviderWriteFailure, ProviderWritePreview, ProviderWriteSuccess
from resolvers.queries import Query
from resolvers.scalars import SCALARS

MAX_DOCUMENT_TOKENS = 5_000


class _Schema(strawberry.Schema):
    def process_errors(self, errors: Any, execution_context: Any = None) -> None:
        """The presenter logs what has to be logged; here the texts of errors would be."""


def build_schema(*, query_seconds: float, mutation_seconds: float) -> strawberry.Schema:
    """The schema with its limits; the seconds are the deadlines of one operation."""
    return _Schema(
        query=Query,
        mutation=Mutation,
        types=[Contact, ContactRecord, ProviderWriteSuccess, ProviderWriteFailure, ProviderWritePreview],
        config=StrawberryConfig(scalar_map=SCALARS),
        extensions=[
            lambda: MaxTokensLimiter(max_token_count=MAX_DOCUMENT_TOKENS),
            DepthLimit,
            OneOperation,
            lambda: OperationScope(query_seconds=query_seconds, mutation_seconds=mutation_seconds),
        ],
    )


def print_schema() -> str:
    """The text of schema.graphql."""
    return build_schema(query_seconds=1, mutation_seconds=1).as_str() + "\n"
