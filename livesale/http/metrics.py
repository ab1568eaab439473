"""Request metrics: counted in plain dicts on the request path, made into Prometheus families when asked for."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
UNMATCHED = ("other", "unmatched")  # never the path asked for: strangers would choose our label values


class _Timing:
    """Calls of one route by duration; `buckets` are not cumulative."""

    __slots__ = ("buckets", "sum_s")

    def __init__(self) -> None:
        self.buckets = [0] * (len(BOUNDS_S) + 1)
        self.sum_s = 0.0


class RequestMetrics(Collector):
    """Requests by route and status, and their durations by route."""

    def __init__(self) -> None:
        self._counts: dict[tuple[web.AbstractRoute, int], int] = {}
        self._timings: dict[web.AbstractRoute, _Timing] = {}
        self._unmatched: dict[int, int] = {}

    def record(self, route: web.AbstractRoute, status: int, seconds: float) -> None:
        """One request served."""
        if route.resource is None:  # a route made for this one 404 or 405
            self._unmatched[status] = self._unmatched.get(status, 0) + 1
            return
        key = (route, status)
        self._counts[key] = self._counts.get(key, 0) + 1
        timing = self._timings.get(route)
        if timing is None:
            timing = self._timings[route] = _Timing()
        timing.buckets[bisect_left(BOUNDS_S, seconds)] += 1
        timing.sum_s += seconds

    def collect(self) -> Iterator[Metric]:
        """The families, for the registry."""
        counter = CounterMetricFamily(
            "livesale_http_requests", "HTTP requests by route and status", labels=("method", "route", "status")
        )
        for status, count in self._unmatched.items():
            counter.add_metric([*UNMATCHED, str(status)], count)
        for (route, status), count in self._counts.items():
            counter.add_metric([*_labels(route), str(status)], count)
        yield counter
        yield self._histogram()

    def _histogram(self) -> HistogramMetricFamily:
        histogram = HistogramMetricFamily(
            "livesale_http_request_seconds", "Time to answer an HTTP request", labels=("method", "route")
        )
        for route, timing in self._timings.items():
            total, rows = 0, []
            for bound, count in zip([*map(str, BOUNDS_S), "+Inf"], timing.buckets, strict=True):
                total += count
                rows.append((bound, total))
            histogram.add_metric(_labels(route), rows, timing.sum_s)
        return histogram


def exposition(collectors: Iterable[Collector]) -> bytes:
    """Prometheus' text format of `collectors`."""
    registry = CollectorRegistry()
    for collector in collectors:
        registry.register(collector)
    return generate_latest(registry)


def _labels(route: web.AbstractRoute) -> list[str]:
    return [route.method, route.resource.canonical if route.resource else ""]
