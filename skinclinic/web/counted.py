"""What the processes of the web count: requests, photos sent, refused sign-ins. For ``/metrics``.

Under gunicorn its processes count into files that they share (``gunicorn.conf.py``), so that a scrape, which one of
them answers, gives the sum of all; elsewhere a process counts for itself. What is in the database is not counted here
but asked for there (``services/measured``), since no web process sees all of it.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.http import HttpRequest, HttpResponseBase
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, multiprocess
from prometheus_client.values import MultiProcessValue, ValueClass

# Few: each is a line for every view.
_SECONDS = (0.03, 0.1, 0.3, 1, 3, 10)
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

requests = Counter(
    "skinclinic_http_requests", "Requests answered, by the name of the address.", ["view", "method", "status"]
)
seconds = Histogram(
    "skinclinic_http_request_duration_seconds", "Until the answer began.", ["view", "method"], buckets=_SECONDS
)  # fmt: skip
photos = Counter(
    "skinclinic_photos_received",
    "Photos sent one by one, by what came of them: stored, known (here already), refused.",
    ["outcome"],
)
sign_ins = Counter("skinclinic_sign_ins", "Sign-ins, by what came of them.", ["outcome"])
for outcome in ("stored", "known", "refused"):
    photos.labels(outcome)
for outcome in ("accepted", "refused"):
    sign_ins.labels(outcome)


@contextmanager
def refusals(counter: Counter) -> Iterator[None]:
    """Count what is refused in the block, for whatever reason."""
    try:
        yield
    except Exception:
        counter.labels("refused").inc()
        raise


def registry() -> CollectorRegistry:
    """What all processes of this node have counted."""
    if not _is_shared():
        return REGISTRY
    shared = CollectorRegistry()
    multiprocess.MultiProcessCollector(shared)
    return shared


def _is_shared() -> bool:
    return getattr(ValueClass, "__qualname__", "").startswith(MultiProcessValue.__qualname__)


class CountingMiddleware:
    """Counts every request, what middleware answers among it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        response = self.get_response(request)
        view = request.resolver_match.view_name if request.resolver_match else "none"
        method = request.method if request.method in _METHODS else "other"
        requests.labels(view, method, response.status_code).inc()
        seconds.labels(view, method).observe(time.perf_counter() - began)
        return response
