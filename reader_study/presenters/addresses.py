"""Addresses that people outside the clinic get."""

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse


def reading_address(request: HttpRequest, secret: str) -> str:
    """The link that is sent to a reader."""
    try:
        path = reverse("reading", args=[secret])
    except NoReverseMatch:
        path = f"/reading/{secret}/"
    return request.build_absolute_uri(path)
