"""GraphQL validation, bounded in time."""

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from gateway.http.settings import DocumentLimits

# What Strawberry adds to the rules of the specification when it executes by itself.
_RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)


def check(
    schema: GraphQLSchema, document: DocumentNode, limits: DocumentLimits, *, introspection: bool
) -> list[GraphQLError]:
    """What is wrong with the document, at most ten errors. Names out of the schema are suggested only where it may be
    asked for."""
    rules = _RULES if introspection else (*_RULES, NoSchemaIntrospectionCustomRule)
    return validate(schema, document, rules, max_errors=10, hide_suggestions=not introspection)
