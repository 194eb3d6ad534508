"""Whose attempt a request is: of the person and of the address it comes from."""

from django.conf import settings
from django.http import HttpRequest

from skinclinic.services import attempts, decoding
from skinclinic.web.requests import client_address, network_of

PHOTO, TRY = "photo", "try"


def count_photo(request: HttpRequest) -> None:
    """A photo that a member sends. Raises Busy, TooOften before anything looks at it."""
    decoding.expect_place(decoding.sender_of(request.user.pk))
    attempts.count(
        PHOTO,
        {
            f"user {request.user.pk}": settings.PHOTOS_AN_HOUR,
            f"address {network_of(client_address(request))}": settings.PHOTOS_AN_HOUR_ADDRESS,
        },
    )


def count_try(request: HttpRequest, sender: str) -> None:
    """A photo that is only tried, by a member or by anybody. Raises Busy, TooOften before anything looks at it.

    What is busy is not counted: a flood of refused photos would keep the database from all others.
    """
    decoding.expect_place(sender)
    address = f"address {network_of(client_address(request))}"
    if not request.user.is_authenticated:
        return attempts.count(TRY, {address: settings.TRIES_AN_HOUR_ADDRESS})
    limits = {
        f"user {request.user.pk}": settings.TRIES_AN_HOUR,
        f"members at {address}": settings.TRIES_AN_HOUR_ADDRESS_MEMBERS,
    }
    return attempts.count(TRY, limits)
