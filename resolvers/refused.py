"""A document that is refused before it runs, as an error that says why."""

from collections.abc import Collection
from typing import Any

from graphql import GraphQLError, Node


class OperationRefused(GraphQLError):
    """`status` is the HTTP status for it; the code and what else a program needs stand in the extensions."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        nodes: Node | Collection[Node] | None = None,
        status: int = 400,
        **details: Any,
    ) -> None:
        super().__init__(message, nodes, extensions={"code": code, **details})
        self.status = status


class LimitExceeded(OperationRefused):
    """The document asks for more than `limit` allows; `measured` is what was counted."""

    def __init__(
        self, limit: str, *, allowed: float, measured: float, message: str, nodes: Collection[Node] | None = None
    ) -> None:
        # GraphQLError takes a list for several and anything else for one.
        places = list(nodes) if nodes else None
        super().__init__("LIMIT_EXCEEDED", message, nodes=places, limit=limit, allowed=allowed, measured=measured)
