"""Which document a request means."""

from collections.abc import Callable
from typing import TypeAlias

from gateway.http.graphql_request import GraphQLParameters
from gateway.http.refusal import RequestRefused

Documents: TypeAlias = Callable[[GraphQLParameters], str]
"""The text of the document, to be handed to execution as it is: what came with its hash is kept once it has run.
Raises RequestRefused where there is none, or none that may be executed."""


def any_document(parameters: GraphQLParameters) -> str:
    """The document that was sent."""
    if not parameters.query or not parameters.query.strip():
        raise RequestRefused(400, "BAD_REQUEST", "Send the GraphQL document as `query`.")
    return parameters.query
