"""What every page says of the clinic's model."""

from django.utils.functional import SimpleLazyObject

from classifier.services.models import card as model_card


def model(request) -> dict:
    """``model_in_use``: see ``model_card.in_use``."""
    membership = getattr(request, "membership", None)
    return {
        "model_in_use": SimpleLazyObject(lambda: model_card.in_use(membership.clinic if membership else None))
    }
