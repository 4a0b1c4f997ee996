"""What an operation may cost, estimated before it runs.

Source: IBM GraphQL cost directives specification, section Static Query Analysis.
"""

from typing import Any

from graphql import DocumentNode, GraphQLSchema, OperationDefinitionNode

from gateway.http.settings import DocumentLimits


def weigh(
    document: DocumentNode,
    chosen: OperationDefinitionNode,
    schema: GraphQLSchema,
    variables: Any,
    limits: DocumentLimits,
) -> dict[str, float]:
    """The estimated cost, as `extensions.cost` tells it.

    Raises:
        LimitExceeded: when it is more than the limit.
    """
    return {}
