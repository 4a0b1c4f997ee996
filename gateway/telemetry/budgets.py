"""The rate budgets as they are when somebody looks."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeAlias

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from gateway.domain.contact import Provider


class Budget(Protocol):
    """How many calls of one limit may be made in its window, and how many of them are left."""

    @property
    def name(self) -> str: ...
    @property
    def limit(self) -> int: ...
    @property
    def remaining(self) -> int: ...


PresentBudgets: TypeAlias = Callable[[], Iterable[tuple[Provider, Budget]]]


class BudgetCollector(Collector):
    """Asks at every scrape. Before somebody says where the budgets are, there are none."""

    def __init__(self) -> None:
        self.present: PresentBudgets = tuple

    def collect(self) -> Iterator[GaugeMetricFamily]:
        labels = ("provider", "budget")
        limit = GaugeMetricFamily(
            "contact_gateway_rate_budget_limit_calls", "Calls that a budget allows in a minute.", labels=labels
        )
        remaining = GaugeMetricFamily(
            "contact_gateway_rate_budget_remaining_calls", "Calls that are left of it just now.", labels=labels
        )
        for provider, budget in self.present():
            limit.add_metric((provider.value, budget.name), budget.limit)
            remaining.add_metric((provider.value, budget.name), budget.remaining)
        yield limit
        yield remaining
