"""The published schema, built once, and what the limits say about a document."""

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from graphql import DocumentNode, GraphQLSchema, OperationDefinitionNode, parse

from gateway.http.settings import DocumentLimits
from resolvers.limits.structure import refuse_too_large
from resolvers.refused import LimitExceeded
from resolvers.schema import build_schema

Refusal: TypeAlias = Callable[..., dict[str, Any] | None]


@pytest.fixture(scope="session")
def schema() -> GraphQLSchema:
    return build_schema()._schema


def first_operation(document: DocumentNode) -> OperationDefinitionNode:
    return next(one for one in document.definitions if isinstance(one, OperationDefinitionNode))


@pytest.fixture(scope="session")
def refusal(schema: GraphQLSchema) -> Refusal:
    """The extensions of the refusal of a document under these limits, None when there is none."""

    def refusal(text: str, **limits: Any) -> dict[str, Any] | None:
        document = parse(text)
        try:
            refuse_too_large(document, first_operation(document), schema, DocumentLimits(**limits))
        except LimitExceeded as refused:
            return dict(refused.extensions or {})
        return None

    return refusal
