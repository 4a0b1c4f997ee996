"""A mistake of ours at one provider is that provider's failure: it may not hide what the others did or said."""

from collections.abc import Iterator
from contextlib import contextmanager

from gateway.domain.contact import Provider
from gateway.domain.errors import GatewayError, ProviderBroken
from gateway.incident import report


@contextmanager
def contained(provider: Provider) -> Iterator[None]:
    """Raises ProviderBroken in the place of whatever nobody expected; what happened goes to the log."""
    try:
        yield
    except GatewayError:
        raise
    except Exception as unexpected:
        report("provider_call_broke", unexpected, provider=provider)
        message = "The gateway failed while it dealt with this provider; a write may or may not have happened."
        raise ProviderBroken(provider, message) from unexpected
