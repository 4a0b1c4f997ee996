"""A document read from its text, bounded in tokens."""

from graphql import DocumentNode, GraphQLError, parse

from gateway.http.settings import DocumentLimits
from resolvers.refused import LimitExceeded, OperationRefused


def read_document(text: str, limits: DocumentLimits) -> DocumentNode:
    """
    Raises:
        LimitExceeded: when it has more tokens than are allowed; the rest of them is not read.
        OperationRefused: when it nests deeper than the parser can follow.
        GraphQLError: when it is not GraphQL.
    """
    allowed = limits.max_document_tokens
    try:
        return parse(text, max_tokens=allowed)
    except RecursionError:
        raise OperationRefused("GRAPHQL_VALIDATION_FAILED", "The document nests too deep.") from None
    except GraphQLError as error:
        if "Document contains more than" not in error.message:
            raise
        message = f"The document has more than {allowed} tokens."
        raise LimitExceeded("maxDocumentTokens", allowed=allowed, measured=allowed + 1, message=message) from None
