"""A mistake of ours at one provider is that provider's failure: it may not hide what the others did or said."""

from types import TracebackType

from gateway.domain.contact import Provider
from gateway.domain.errors import GatewayError, ProviderBroken
from gateway.incident import report


class contained:  # noqa: N801 (it is used like a function)
    """Raises ProviderBroken in the place of whatever nobody expected; what happened goes to the log."""

    __slots__ = ("_provider",)

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def __enter__(self) -> None:
        """Nothing is to be done before."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if not isinstance(error, Exception) or isinstance(error, GatewayError):
            return
        report("provider_call_broke", error, provider=self._provider)
        message = "The gateway failed while it dealt with this provider; a write may or may not have happened."
        raise ProviderBroken(self._provider, message) from error
