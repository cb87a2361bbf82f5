"""Figures of a running server in Prometheus' format: how many, how long, how full. Of nobody and no photo."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 40, 80)


class Metrics:
    """The figures, in a registry of their own, so that a process may hold several servers."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)  # memory, processor, open files
        common = {"namespace": "hmnet", "registry": self._registry}
        self.events = Counter(
            "events", "Events that were worked on, by outcome", ["event", "outcome"], **common
        )
        self.seconds = Histogram(
            "event_seconds", "Working time of an event", ["event"], buckets=SECONDS, **common
        )
        self.waited = Histogram(
            "event_waited_seconds", "Time an event waited in the queue", ["event"], buckets=SECONDS, **common
        )
        self.refused = Counter("refused", "Requests that were refused, by reason", ["reason"], **common)

    def watch(self, name: str, description: str, value: Callable[[], float]) -> None:
        """Adds a figure that is read when it is asked for."""
        gauge = Gauge(name, description, namespace="hmnet", registry=self._registry)
        gauge.set_function(value)

    def text(self) -> bytes:
        """All figures, as Prometheus reads them."""
        return generate_latest(self._registry)
