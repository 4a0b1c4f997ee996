"""A document held against the schema and the limits without anybody asking for it."""

import strawberry
from graphql import DocumentNode, GraphQLError, GraphQLSchema, OperationDefinitionNode

from gateway.http.manifest import CheckDocument, CheckedDocument
from resolvers.execution import Rules
from resolvers.limits.parsing import read_document
from resolvers.limits.structure import refuse_too_large
from resolvers.limits.validation import check


def document_check(schema: strawberry.Schema, rules: Rules) -> CheckDocument:
    """What execution would refuse, as far as it does not depend on variables."""

    def checked(text: str) -> CheckedDocument:
        try:
            document = read_document(text, rules.limits)
            return CheckedDocument(operations=_names(document), problems=_problems(document, schema._schema, rules))
        except RecursionError:
            return CheckedDocument(problems=("The document nests too deep.",))
        except GraphQLError as error:
            return CheckedDocument(problems=(_say(error),))

    return checked


def _problems(document: DocumentNode, schema: GraphQLSchema, rules: Rules) -> tuple[str, ...]:
    operations = _operations(document)
    if not operations:
        return ("The document has no operation.",)
    try:
        for operation in operations:
            refuse_too_large(document, operation, schema, rules.limits)
    except GraphQLError as error:
        # What is too large is not validated: execution does not do so either.
        return (_say(error),)
    return tuple(_say(error) for error in check(schema, document, rules.limits, introspection=rules.introspection))


def _operations(document: DocumentNode) -> list[OperationDefinitionNode]:
    return [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]


def _names(document: DocumentNode) -> tuple[str, ...]:
    return tuple(f"{one.operation.value}{f' {one.name.value}' if one.name else ''}" for one in _operations(document))


def _say(error: GraphQLError) -> str:
    places = [f"line {place.line}, column {place.column}" for place in error.locations or ()]
    return f"{error.message}{f' ({places[0]})' if places else ''}"
