"""The configured providers, in order of precedence, and what can be said of ids without asking them."""

from collections.abc import Collection, Mapping, Sequence

from gateway.connectors.base import Capabilities, Connector
from gateway.domain.contact import Provider, RecordKey
from gateway.domain.errors import InputProblem, InvalidInput, OperationUnsupported, ProviderFailure
from gateway.domain.identity import EXAMPLE, GlobalId, read_id
from gateway.resilience.standing import Standing


class Directory:
    """`precedence` names every provider once; `capabilities` too, configured or not. `readable` are the fields that a
    provider holds."""

    def __init__(
        self,
        connectors: Mapping[Provider, Connector],
        *,
        precedence: Sequence[Provider],
        capabilities: Mapping[Provider, Capabilities],
    ) -> None:
        self._connectors = connectors
        self._capabilities = capabilities
        self.readable = {provider: one.readable for provider, one in capabilities.items()}
        self.precedence = tuple(precedence)
        self.configured = tuple(provider for provider in precedence if provider in connectors)

    @property
    def standings(self) -> dict[Provider, Standing]:
        return {provider: connector.standing for provider, connector in self._connectors.items()}

    def capabilities(self, provider: Provider) -> Capabilities:
        return self._capabilities[provider]

    def connector(self, provider: Provider) -> Connector:
        """
        Raises:
            OperationUnsupported: when the provider's key is not set.
        """
        connector = self._connectors.get(provider)
        if connector is None:
            raise self.not_configured(provider)
        return connector

    def not_configured(self, provider: Provider) -> ProviderFailure:
        name = self._capabilities[provider].display_name
        return OperationUnsupported(provider, f"{name} is not configured in this gateway.")

    def rank(self, key: RecordKey) -> tuple[int, int, str]:
        """Sorts records by precedence; at one provider the older (shorter, smaller) id first."""
        return (self.precedence.index(key.provider), len(key.remote_id), key.remote_id)

    def in_order(self, keys: Collection[RecordKey]) -> list[RecordKey]:
        return sorted(keys, key=self.rank) if len(keys) > 1 else list(keys)

    def read_id(self, text: str, path: tuple[str, ...]) -> GlobalId:
        """Reads an id whose provider could really have made it.

        Raises:
            InvalidInput: at `path`.
        """
        parsed = read_id(text, path)
        connector = self._connectors.get(parsed.key.provider)
        problem = connector.id_problem(parsed.key.remote_id) if connector else None
        if problem:
            message = f"holds no id of that provider ({problem}); {EXAMPLE}"
            raise InvalidInput(InputProblem(path=path, code="MALFORMED_ID", message=message))
        return parsed

    def named(self, providers: Sequence[Provider] | None, path: tuple[str, ...]) -> tuple[Provider, ...]:
        """The providers that the caller named, once each in that order; all configured ones for None.

        Raises:
            InvalidInput: at `path`, for an empty list or a provider that is not configured.
        """
        if providers is None and self.configured:
            return self.configured
        names = ", ".join(provider.name for provider in self.configured) or "none"
        if not providers:
            message = f"must name at least one provider, or be left out; configured: {names}"
            raise InvalidInput(InputProblem(path=path, code="NO_PROVIDER", message=message))
        for provider in providers:
            if provider not in self._connectors:
                message = f"{provider.name} is not configured in this gateway; configured: {names}"
                raise InvalidInput(InputProblem(path=path, code="NOT_CONFIGURED", message=message, provider=provider))
        return tuple(dict.fromkeys(providers))

    async def aclose(self) -> None:
        for connector in self._connectors.values():
            await connector.aclose()
