"""The only list of providers: their settings and how to build them, in the default order of precedence."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic_settings import BaseSettings

import gateway.connectors.cometly.settings as cometly
import gateway.connectors.gately.settings as gately
import gateway.connectors.klen.settings as klen
from gateway.connectors.base import Capabilities, Connector
from gateway.connectors.cometly.capabilities import CAPABILITIES as COMETLY
from gateway.connectors.gately.capabilities import CAPABILITIES as GATELY
from gateway.connectors.klen.capabilities import CAPABILITIES as KLEN
from gateway.domain.contact import Provider
from gateway.upstream.upstream import Conditions


@dataclass(frozen=True, slots=True)
class Registration:
    """`build` takes the provider's settings, its API key and how calls are made."""

    capabilities: Capabilities
    settings: type[BaseSettings]
    build: Callable[[Any, str, Conditions], Connector]

    @property
    def provider(self) -> Provider:
        return self.capabilities.provider


REGISTRY: tuple[Registration, ...] = (
    Registration(GATELY, gately.GatelySettings, gately.build),
    Registration(KLEN, klen.KlenSettings, klen.build),
    Registration(COMETLY, cometly.CometlySettings, cometly.build),
)
