"""Documents that have passed every look at them alone, so that the same text is not parsed and checked again.

What depends on variables (their values, the cost, what is put off) and on the caller is looked at for every request,
the cost just once for variables that make no difference.
"""

from collections import OrderedDict
from dataclasses import dataclass, field

from graphql import DocumentNode, GraphQLSchema, OperationDefinitionNode

from gateway.http.result import OperationKind
from resolvers.known_variables import KnownVariables
from resolvers.limits.known_costs import KnownCosts
from resolvers.own_answers import has_own_answer
from resolvers.plans.compile import compile_plan
from resolvers.plans.plan import Plan
from resolvers.plans.schema_parts import SchemaParts

# What a client writes has more for each field, but for fragments that it uses in several places.
_CHARACTERS_PER_FIELD = 4
# One large document may not drive the others out.
_LARGEST_SHARE = 10


@dataclass(frozen=True, slots=True)
class Asked:
    """A document, and the operation of it that is to run. `passed`: it need not be looked at again; `costs` are what it
    was estimated to cost then, `variables` are what it takes. `may_be_shared`: one execution answers all who ask at the
    same time. `plan` is how it is executed where it is kept and can be compiled."""

    document: DocumentNode
    operation: OperationDefinitionNode
    kind: OperationKind = field(init=False)
    passed: bool = False
    may_be_shared: bool = False
    plan: Plan | None = None
    costs: KnownCosts | None = None
    variables: KnownVariables | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", OperationKind(self.operation.operation.value))


class PassedDocuments:
    """Those asked for last, up to `max_characters` of text together; what is built of a text takes a hundred times its
    size. Only what has passed is kept, so nobody fills it with what is refused."""

    def __init__(self, schema: GraphQLSchema, max_characters: int, parts: SchemaParts | None = None) -> None:
        """`parts` are those of the schema that plans are compiled for; None: none are."""
        self._schema = schema
        self._max_characters = max_characters
        self._parts = parts
        self._kept: OrderedDict[tuple[str, str | None], Asked] = OrderedDict()
        self._characters = 0

    def find(self, text: str, operation_name: str | None) -> Asked | None:
        key = (text, operation_name)
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
        return kept

    def keep(self, text: str, operation_name: str | None, asked: Asked) -> Asked:
        """`asked` has passed. A document of several operations is kept once for each that is asked for."""
        if len(text) * _LARGEST_SHARE > self._max_characters:
            return asked
        document, operation = asked.document, asked.operation
        plan, costs = self._plan(asked, len(text)), KnownCosts(operation, self._schema)
        variables = KnownVariables(operation, self._schema)
        shared = asked.kind is OperationKind.QUERY and not has_own_answer(document)
        passed = Asked(
            document, operation, passed=True, may_be_shared=shared, plan=plan, costs=costs, variables=variables
        )
        # Two requests may have had it checked at the same time.
        if self._kept.pop((text, operation_name), None) is None:
            self._characters += len(text)
        self._kept[text, operation_name] = passed
        while self._characters > self._max_characters:
            (oldest, _), _ = self._kept.popitem(last=False)
            self._characters -= len(oldest)
        return passed

    def _plan(self, asked: Asked, characters: int) -> Plan | None:
        if self._parts is None:
            return None
        # A field of a plan takes about as much as ten characters of a document.
        max_fields = 10 + characters // _CHARACTERS_PER_FIELD
        return compile_plan(self._parts, asked.document, asked.operation, max_fields=max_fields)
