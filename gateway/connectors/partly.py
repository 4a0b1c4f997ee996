"""A write of several calls that fails after the first: neither applied nor not, so it is said to be unknown."""

from collections.abc import Iterator
from contextlib import contextmanager

from gateway.domain.contact import Field
from gateway.domain.errors import ProviderFailure, WriteOutcome


@contextmanager
def partly_applied(*, done: bool, field: Field) -> Iterator[None]:
    """When `done` says that an earlier call of the same write was applied, a failure inside names the
    field that is missing and claims nothing about the whole."""
    try:
        yield
    except ProviderFailure as failure:
        if not done:
            raise
        fault = failure.fault
        raise type(failure)(
            fault.provider,
            f"The other fields were written, but {field.value} was not: {fault.message}",
            retryable=False,
            outcome=WriteOutcome.UNKNOWN,
            retry_after_ms=fault.retry_after_ms,
            upstream_status=fault.upstream_status,
            upstream_code=fault.upstream_code,
            field=field.input_path,
        ) from failure
