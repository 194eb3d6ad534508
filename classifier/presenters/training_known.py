"""Whether it can be checked what a model has seen, in words."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from classifier.models import ModelVersion
from classifier.services.evaluation import seen


@dataclass(frozen=True)
class Known:
    can_be_checked: bool
    text: str


def training_known(version: ModelVersion) -> Known:
    """What is known of the photos a model was trained on, and so whether an evaluation can look for them."""
    origin = seen.origin(version)
    if origin.unknown == version.name:
        return Known(
            False, _("Nobody knows which photos it was trained on: what it has seen cannot be checked.")
        )
    if origin.unknown:
        return Known(
            False,
            _("It began from %(start)s, and nobody knows which photos that has seen: cannot be checked.")
            % {"start": origin.unknown},
        )
    if origin.listed:
        return Known(
            True,
            _("What it has seen can be checked by the hashes of its training photos: %(names)s.")
            % {"names": origin.in_words},
        )
    return Known(True, _("What it has seen can be checked: %(names)s.") % {"names": origin.in_words})
