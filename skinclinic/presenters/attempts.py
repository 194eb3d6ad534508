"""Whose attempt a request is: of the person and of the address it comes from."""

from django.conf import settings
from django.http import HttpRequest

from skinclinic.services import attempts
from skinclinic.web.requests import client_address, network_of

PHOTO, TRY = "photo", "try"


def count_photo(request: HttpRequest) -> None:
    """A photo that a member sends. Raises TooOften before anything looks at it."""
    attempts.count(
        PHOTO,
        {
            f"user {request.user.pk}": settings.PHOTOS_AN_HOUR,
            f"address {network_of(client_address(request))}": settings.PHOTOS_AN_HOUR_ADDRESS,
        },
    )


def count_try(request: HttpRequest) -> None:
    """A photo that is only tried, by a member or by anybody. Raises TooOften before anything looks at it."""
    address = f"address {network_of(client_address(request))}"
    if not request.user.is_authenticated:
        return attempts.count(TRY, {address: settings.TRIES_AN_HOUR_ADDRESS})
    limits = {
        f"user {request.user.pk}": settings.TRIES_AN_HOUR,
        f"members at {address}": settings.TRIES_AN_HOUR_ADDRESS_MEMBERS,
    }
    return attempts.count(TRY, limits)
