"""The connectors of the contract suite, over the same simulators."""

from tests.connectors.conftest import cometly, connector, connectors, log, registration, run, runner

__all__ = ["cometly", "connector", "connectors", "log", "registration", "run", "runner"]
