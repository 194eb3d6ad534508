"""What a figure is, and which there are."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from django.db import DatabaseError
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

log = logging.getLogger(__name__)


@dataclass
class Figure:
    """One name (after Prometheus's conventions: ``skinclinic_``, base units, no "_total" here), what it says, and its
    values by labels. ``is_counter``: it only grows while what it counts for lives."""

    name: str
    says: str
    labels: tuple[str, ...] = ()
    is_counter: bool = False
    values: list[tuple[tuple[str, ...], float]] = field(default_factory=list)

    def add(self, value: float, *labels: object) -> None:
        self.values.append((tuple(map(str, labels)), float(value)))

    def family(self) -> Metric:
        """As the library writes it."""
        kind = CounterMetricFamily if self.is_counter else GaugeMetricFamily
        made = kind(self.name, self.says, labels=self.labels)
        for labels, value in self.values:
            made.add_metric(labels, value)
        return made


# f() -> figures. Quick, however much there is: a scrape comes every few seconds.
Source = Callable[[], Iterable[Figure]]
_sources: list[Source] = []


def source(function: Source) -> Source:
    """Register a function that gives figures."""
    _sources.append(function)
    return function


class Collected(Collector):
    """All of them, asked for anew. What one source cannot tell is no reason for the others to be silent: it is missing,
    and ``skinclinic_scrape_failures`` counts it."""

    def collect(self) -> Iterator[Metric]:
        failures = Figure(
            "skinclinic_scrape_failures", "Sources of figures that could not be asked at this scrape."
        )
        count = 0
        for function in _sources:
            try:
                yield from [figure.family() for figure in function()]
            except DatabaseError:
                count += 1
            except Exception:
                count += 1
                log.exception("figures of %s could not be told", function.__qualname__)
        failures.add(count)
        yield failures.family()
