"""Who may hear what stands behind this node: a program with the token, or one in a network that is let in."""

import hmac
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest

from skinclinic.web.requests import client_address


def is_open() -> bool:
    """Whether anybody is let in."""
    return bool(settings.METRICS_TOKEN or settings.METRICS_NETWORKS)


def may_hear(request: HttpRequest) -> bool:
    """By ``Authorization: Bearer …`` or by where it comes from."""
    sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
    token = settings.METRICS_TOKEN
    if token and hmac.compare_digest(sent.encode("utf-8", "replace"), token.encode()):
        return True
    address = client_address(request)
    return bool(address) and any(ip_address(address) in network for network in settings.METRICS_NETWORKS)


class ProbesMiddleware:
    """Lets what watches this node in before anything else looks at the request: no session, no clinic, no check of
    the name it was called by, no way over https."""

    NAMES = ("healthz", "readyz", "metrics")

    def __init__(self, get_response):
        from django.urls import resolve, reverse

        self.get_response = get_response
        self.found = {reverse(name): resolve(reverse(name)) for name in self.NAMES}

    def __call__(self, request):
        match = self.found.get(request.path_info)
        if match is None:
            return self.get_response(request)
        request.resolver_match = match
        response = match.func(request)
        response["X-Content-Type-Options"] = "nosniff"
        response["Cache-Control"] = "no-store"
        return response
