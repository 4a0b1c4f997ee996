"""A document read from its text, bounded in tokens, and the operation of it that is to run."""

from graphql import DocumentNode, GraphQLError, OperationDefinitionNode, parse

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


def choose_operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """GraphQL specification, GetOperation: guessing could run the wrong one, even a mutation."""
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    named = [one for one in operations if name is None or (one.name and one.name.value == name)]
    if len(named) == 1:
        return named[0]
    if named:
        message = "The document has several operations; name the one to run as `operationName`."
    else:
        message = f"The document has no operation{f' named {name!r}' if name else ''}."
    raise OperationRefused("OPERATION_RESOLUTION_FAILURE", message, nodes=named)
