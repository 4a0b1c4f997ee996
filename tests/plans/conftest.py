"""What the differential tests drop is dropped in their own time."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture
def collected() -> Iterator[None]:
    """What was cancelled before it began complains when it is collected: here, where that is expected."""
    yield
    gc.collect()
