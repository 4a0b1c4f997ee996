"""Writes that take several calls: what a failure says depends on how far the write had come."""

from collections.abc import Iterator
from contextlib import contextmanager

from gateway.domain.contact import Field
from gateway.domain.errors import ProviderFailure, WriteOutcome


@contextmanager
def before_writing() -> Iterator[None]:
    """For reads that a write begins with: whatever fails here, nothing has been sent yet."""
    try:
        yield
    except ProviderFailure as failure:
        failure.outcome = WriteOutcome.NOT_APPLIED
        raise


@contextmanager
def after_writing(field: Field, *, written: bool) -> Iterator[None]:
    """For the later calls of a write. When an earlier one was applied (`written`), a failure here leaves the
    whole neither applied nor not: it names the field that is missing and claims nothing more."""
    try:
        yield
    except ProviderFailure as failure:
        if not written:
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
