"""`extensions.providers`: what the operation cost at each provider that had to do with it."""

from typing import Any

from gateway.resilience.rate_budgets import BudgetStanding
from gateway.resilience.standing import StatusBoard
from gateway.resilience.tally import Spending, Tally
from resolvers.scalars import in_rfc3339


def told_spending(tally: Tally, statuses: StatusBoard) -> list[dict[str, Any]]:
    """One entry for each provider that was called or that an answer was taken from in the place of a call, in the order
    of their names."""
    return [
        {
            "provider": provider.name,
            **_spent(spending),
            "rateLimits": [_left(budget) for budget in statuses.budgets(provider)],
        }
        for provider, spending in sorted(tally.by_provider.items())
    ]


def _spent(spending: Spending) -> dict[str, Any]:
    return {
        "calls": spending.calls,
        "cacheHits": spending.cache_hits,
        "sharedCalls": spending.shared,
        "waitedMs": round(spending.waited_ms),
        "spentMs": round(spending.spent_ms),
    }


def _left(budget: BudgetStanding) -> dict[str, Any]:
    return {
        "operations": sorted(kind.name for kind in budget.kinds),
        "limit": budget.limit,
        "remaining": budget.remaining,
        "resetAt": in_rfc3339(budget.reset_at),
    }
