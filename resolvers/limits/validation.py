"""GraphQL validation, bounded in time and in what it answers."""

from collections.abc import Callable
from functools import partial
from time import thread_time
from typing import Any, cast

from graphql import (
    ASTValidationRule,
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    MaxIntrospectionDepthRule,
    Node,
    NoSchemaIntrospectionCustomRule,
    OverlappingFieldsCanBeMergedRule,
    UniqueDirectivesPerLocationRule,
    ValidationContext,
    specified_rules,
    validate,
)
from graphql.validation.rules.overlapping_fields_can_be_merged import RuleContext
from graphql.validation.validate import ValidationAbortedError
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from gateway.http.settings import DocumentLimits
from resolvers.refused import LimitExceeded

_MAX_ERRORS = 10
# The clock is that of the thread at work: on a busy machine time passes that no document is to blame for. Reading it
# costs more than comparing two fields does.
_COMPARISONS_PER_LOOK = 1_000


class Watch:
    """Stops a validation that takes longer than it may."""

    def __init__(self, allowed_seconds: float, clock: Callable[[], float] = thread_time) -> None:
        self._allowed = allowed_seconds
        self._clock = clock
        self._began = clock()

    def look(self) -> None:
        """
        Raises:
            LimitExceeded: when the time is used up.
        """
        taken = self._clock() - self._began
        if taken > self._allowed:
            message = f"Checking the document takes longer than {self._allowed:g} seconds; simplify it."
            raise LimitExceeded("validationSeconds", allowed=self._allowed, measured=round(taken, 3), message=message)


def check(
    schema: GraphQLSchema,
    document: DocumentNode,
    limits: DocumentLimits,
    *,
    introspection: bool,
    clock: Callable[[], float] = thread_time,
) -> list[GraphQLError]:
    """What is wrong with the document, at most ten errors. Names out of the schema are suggested only where it may be
    asked for.

    Raises:
        LimitExceeded: when that cannot be said in time, or only with more comparisons than graphql-core makes.
    """
    rules = _rules(Watch(limits.validation_seconds, clock), introspection=introspection)
    # The last of the ten errors says that there are more of them.
    errors = validate(schema, document, rules, max_errors=_MAX_ERRORS - 1, hide_suggestions=not introspection)
    if errors and isinstance(errors[-1], ValidationAbortedError):
        return _aborted(errors)
    return errors


def _rules(watch: Watch, *, introspection: bool) -> list[type[ASTValidationRule]]:
    """Those of the specification, what Strawberry adds when it executes by itself, and the watch before them all."""
    replaced: dict[type[ASTValidationRule], Any] = {
        OverlappingFieldsCanBeMergedRule: partial(_WatchedMerging, watch),
        UniqueDirectivesPerLocationRule: _UniqueDirectives,
    }
    # `maxIntrospectionDepth` refuses the same and more, with what was measured.
    kept = [replaced.get(rule, rule) for rule in specified_rules if rule is not MaxIntrospectionDepthRule]
    added = [MaybeNullValidationRule, OneOfInputValidationRule]
    hidden = [] if introspection else [NoSchemaIntrospectionCustomRule]
    # graphql-core only calls a rule with its context, so what makes one is as good as its class.
    return cast("list[type[ASTValidationRule]]", [partial(_Watched, watch), *kept, *added, *hidden])


def _aborted(errors: list[GraphQLError]) -> list[GraphQLError]:
    *found, last = errors
    if len(found) == _MAX_ERRORS - 1:
        return [*found, GraphQLError(f"There are more mistakes; these are the first {len(found)}.")]
    # Here graphql-core gave up on a budget of its own; what it had found until then is beside the point.
    return [GraphQLError("The document is too entangled to be checked. Use fewer fragments and variables.", last.nodes)]


class _Watched(ASTValidationRule):
    """Looks at the watch at every node."""

    def __init__(self, watch: Watch, context: ValidationContext) -> None:
        super().__init__(context)
        self._watch = watch

    def enter(self, _node: Node, *_args: Any) -> None:
        self._watch.look()


class _UniqueDirectives(UniqueDirectivesPerLocationRule):
    """One error for each place, however often a directive is repeated there."""

    _told = False

    def enter(self, node: Node, *args: Any) -> None:
        self._told = False
        super().enter(node, *args)

    def report_error(self, error: GraphQLError) -> None:
        if not self._told:
            self._told = True
            super().report_error(error)


class _WatchedMerging(OverlappingFieldsCanBeMergedRule):
    """Compares each pair of fields of one name: the only rule that can take long at a single node."""

    def __init__(self, watch: Watch, context: ValidationContext) -> None:
        super().__init__(context)
        self.rule_context = _WatchedBudget(watch)


class _WatchedBudget(RuleContext):
    """graphql-core spends from this number before each comparison."""

    __slots__ = ("_all", "_left", "_look_at", "_watch")

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._left = self._look_at = 0
        super().__init__()
        self._all = self._left
        self._look_at = self._left - _COMPARISONS_PER_LOOK

    @property
    def remaining_complexity_budget(self) -> int:
        return self._left

    @remaining_complexity_budget.setter
    def remaining_complexity_budget(self, left: int) -> None:
        self._left = left
        if left < 0:
            message = f"Checking the document takes more than {self._all} comparisons of fields."
            raise LimitExceeded("comparisons", allowed=self._all, measured=self._all - left, message=message)
        if left < self._look_at:
            self._look_at = left - _COMPARISONS_PER_LOOK
            self._watch.look()
