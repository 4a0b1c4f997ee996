"""How a value of an input type is read: found out once for each type, where Strawberry does so for each value."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING
from typing import Any, TypeAlias

from strawberry import Some
from strawberry.relay import GlobalID
from strawberry.schema.config import StrawberryConfig
from strawberry.types.arguments import InputContext
from strawberry.types.base import (
    StrawberryContainer,
    StrawberryList,
    StrawberryMaybe,
    StrawberryObjectDefinition,
    StrawberryOptional,
    get_object_definition,
    has_object_definition,
)
from strawberry.types.lazy_type import LazyType

Read: TypeAlias = Callable[[Any], Any]


def read_at_once(*input_types: type) -> None:
    """Has values of these types built, exactly as Strawberry would build them."""
    for input_type in input_types:
        definition = get_object_definition(input_type, strict=True)
        definition.from_input = _Reader(definition)


def reading(type_: Any, config: StrawberryConfig) -> Read | None:
    """How an argument of a type is read, as Strawberry would; None where that is not known here."""
    bare = type_
    while type(bare) in (StrawberryOptional, StrawberryList):
        bare = bare.of_type
    if has_object_definition(bare):
        if not isinstance(get_object_definition(bare, strict=True).from_input, _Reader):
            return None
    elif isinstance(bare, StrawberryContainer | LazyType) or bare is GlobalID:
        return None
    return _reading(type_, config)


class _Reader:
    """For one input type. `from_input` is Strawberry's hook for types that build their own values."""

    def __init__(self, definition: StrawberryObjectDefinition) -> None:
        self._definition = definition
        self._left_out = {
            field.python_name: None
            for field in definition.fields
            if field.default_value is MISSING and field.default_factory is MISSING
        }
        self._fields: Mapping[str, tuple[str, Read | None]] | None = None

    def __call__(self, type_: type, value: Mapping[str, Any], context: InputContext) -> Any:
        return self.read(type_, value, context.config)

    def read(self, type_: type, value: Mapping[str, Any], config: StrawberryConfig) -> Any:
        if self._fields is None:
            # Not before: a type may name others that come after it.
            self._fields = self._found(config)
        given: dict[str, Any] = {**self._left_out}
        for name, item in value.items():
            python_name, read = self._fields[name]
            given[python_name] = read(item) if read else item
        return type_(**given)

    def _found(self, config: StrawberryConfig) -> Mapping[str, tuple[str, Read | None]]:
        """By their names in GraphQL: the names here, and how their values are read."""
        return {
            config.name_converter.from_field(field): (
                field.python_name,
                _reading(field.resolve_type(type_definition=self._definition), config),
            )
            for field in self._definition.fields
        }


def _reading(type_: Any, config: StrawberryConfig) -> Read | None:
    """How a value of a type is read; None: it is taken as it is."""
    if has_object_definition(type_):
        reader = get_object_definition(type_, strict=True).from_input
        assert isinstance(reader, _Reader), "to be given to read_at_once too"
        return lambda value: reader.read(type_, value, config)
    if not isinstance(type_, StrawberryContainer):
        assert not isinstance(type_, LazyType)
        return None
    read = _reading(type_.of_type, config)
    if isinstance(type_, StrawberryList):
        return _each(read) if read else list
    if isinstance(type_, StrawberryMaybe):
        # One that takes no null would have to refuse it here.
        assert isinstance(type_.of_type, StrawberryOptional)
        return _some(read) if read else Some
    return _unless_null(read) if read else None


def _each(read: Read) -> Read:
    return lambda items: [read(item) for item in items]


def _some(read: Read) -> Read:
    return lambda value: Some(read(value))


def _unless_null(read: Read) -> Read:
    return lambda value: None if value is None else read(value)
