"""The schema: put together from the types, printed as schema.graphql."""

from functools import cache

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter

import resolvers.enums  # noqa: F401  (registers the enums before any type refers to them)
from resolvers.contact import Contact, ContactRecord
from resolvers.mutations import Mutation
from resolvers.payloads import ProviderWriteFailure, ProviderWritePreview, ProviderWriteSuccess
from resolvers.queries import Query
from resolvers.scalars import SCALARS
from resolvers.statuses import Subscription


class _Names(NameConverter):
    """Strawberry turns the name of every argument into camel case whenever a resolver is called."""

    apply_naming_config = cache(NameConverter.apply_naming_config)


def build_schema() -> strawberry.Schema:
    """The types. What may be asked of them is decided by `resolvers.execution`."""
    return strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[Contact, ContactRecord, ProviderWriteSuccess, ProviderWriteFailure, ProviderWritePreview],
        config=StrawberryConfig(
            name_converter=_Names(), scalar_map=SCALARS, enable_experimental_incremental_execution=True
        ),
    )


def print_schema() -> str:
    """The text of schema.graphql."""
    return build_schema().as_str() + "\n"
