"""What a web process counts of its requests: how long, how many at once, what nobody handled.

Labels are bounded by the code: names of routes, never paths, which clients choose. Several processes share a
directory (`PROMETHEUS_MULTIPROC_DIR`, set by `config/gunicorn.py`) and any of them answers for all; without
one a process counts for itself. The variable is read when `prometheus_client` is imported.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

GetResponse = Callable[[HttpRequest], HttpResponse]

DIRECTORY_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
#: A cached answer takes one to five milliseconds, a search up to some seconds.
BUCKETS_SECONDS: Final = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
UNKNOWN_ROUTE: Final = "unknown"
STATIC_ROUTE: Final = "static"

_own = CollectorRegistry()
LATENCY: Final = Histogram(
    "atlas_http_request_duration_seconds",
    "Time from a request's arrival at the application to its response.",
    ["route", "method", "status"],
    buckets=BUCKETS_SECONDS,
    registry=_own,
)
IN_PROGRESS: Final = Gauge(
    "atlas_http_requests_in_progress",
    "Requests being answered now.",
    multiprocess_mode="livesum",
    registry=_own,
)
EXCEPTIONS: Final = Counter(
    "atlas_http_exceptions",
    "Exceptions that ended a request, by type: faults of the service, or a database that was gone.",
    ["exception"],
    registry=_own,
)


def collectors() -> list[Collector]:
    """What to read for the figures of all web processes of this host."""
    if os.environ.get(DIRECTORY_VARIABLE):
        return [MultiProcessCollector(None)]
    return [LATENCY, IN_PROGRESS, EXCEPTIONS]


class MetricsMiddleware:
    """Times each request under the name of its route."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        status = "5xx"  # an exception that passes here becomes a 500
        began = time.perf_counter()
        IN_PROGRESS.inc()
        try:
            response = self.get_response(request)
            status = f"{response.status_code // 100}xx"
            return response
        finally:
            IN_PROGRESS.dec()
            method = request.method if request.method in METHODS else "other"
            LATENCY.labels(route_of(request), method, status).observe(time.perf_counter() - began)


def route_of(request: HttpRequest) -> str:
    """The name of the route; `static` for files, `unknown` where no named route was reached."""
    match = request.resolver_match
    if match is None:
        return STATIC_ROUTE if request.path.startswith(settings.STATIC_URL) else UNKNOWN_ROUTE
    return match.view_name if match.url_name else UNKNOWN_ROUTE


def count_exception(exception: BaseException) -> None:
    """One request ended by this exception."""
    EXCEPTIONS.labels(type(exception).__name__).inc()
