"""A resolver that is called by its plan, with everything that it takes by its name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLResolveInfo


@dataclass(frozen=True, slots=True)
class PlainResolver:
    """`names` are those of its arguments, by those of the schema; `reads`, by its own, what is made of values that are
    not taken as they are: something of its own each time, lists copied. `source` and `info` are the names by which it
    takes the object and the info, None where it does not. `made_info` makes the info that it takes of graphql-core's.
    """

    function: Callable[..., Any]
    names: Mapping[str, str]
    reads: Mapping[str, Callable[[Any], Any]]
    source: str | None
    info: str | None
    made_info: Callable[..., Any]

    def call(self, source: Any, info: GraphQLResolveInfo[Any] | None, arguments: dict[str, Any]) -> Any:
        """`info` may be None where it takes none; `arguments`, by its own names, are its to keep."""
        for name, read in self.reads.items():
            if (value := arguments.get(name)) is not None:
                arguments[name] = read(value)
        if self.source is not None:
            arguments[self.source] = source
        if self.info is not None:
            arguments[self.info] = self.made_info(_raw_info=info)
        return self.function(**arguments)
