"""The series of one metric, found by the values of its labels."""

from typing import Generic, TypeVar

from prometheus_client.metrics import MetricWrapperBase

M = TypeVar("M", bound=MetricWrapperBase)


class Series(dict[tuple[str, ...], M], Generic[M]):
    """The library looks each one up under a lock, and makes texts of all its labels before. Here each is looked up
    once, when it is first counted: none shows before, and in a worker none is of the process that it was forked from.
    There are as few as the labels have values."""

    def __init__(self, metric: M) -> None:
        super().__init__()
        self._metric = metric

    def __missing__(self, labels: tuple[str, ...]) -> M:
        series = self[labels] = self._metric.labels(*labels)
        return series
