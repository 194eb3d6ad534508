"""What every page says of the clinic's model."""

from django.utils.functional import SimpleLazyObject

from classifier.presenters.following_rule import alarm_notices
from classifier.services.models import card as model_card


def model(request) -> dict:
    """``model_in_use``: see ``model_card.in_use``. ``model_alarms``: what admins and curators are told of it."""
    membership = getattr(request, "membership", None)
    may_hear = membership is not None and membership.can_curate
    return {
        "model_alarms": SimpleLazyObject(
            lambda: alarm_notices(membership.clinic_id) if membership and may_hear else []
        ),
        "model_in_use": SimpleLazyObject(
            lambda: model_card.in_use(membership.clinic if membership else None)
        ),
    }
