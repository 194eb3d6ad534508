"""What every page says of the clinic's model."""

from django.utils.functional import SimpleLazyObject

from classifier.services import registry


def model(request) -> dict:
    """``demo_model``: whether what the clinic's photos are analysed with now is a demo model."""
    return {"demo_model": SimpleLazyObject(lambda: _is_demo(request))}


def _is_demo(request) -> bool:
    membership = getattr(request, "membership", None)
    version = registry.published(membership.clinic) if membership else None
    return bool(version and version.is_demo)
