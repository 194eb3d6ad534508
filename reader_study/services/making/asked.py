"""Which questions and times go together."""

from django.utils.translation import gettext as _

from reader_study.asked import MANAGEMENT
from reader_study.models import Study
from skinclinic.services.refused import Refused


def settle(study: Study) -> None:
    """Put what is asked besides the diagnosis in order. Raises Refused for what cannot be asked of a reader."""
    study.management_choices = [key for key in MANAGEMENT if key in study.management_choices]
    if len(study.management_choices) == 1:
        raise Refused("management_choices", _("One answer is no choice: offer two of them, or none."))
    if study.time_limit and study.may_go_back:
        raise Refused(
            "time_limit", _("With a time limit readers cannot go back. Switch going back off, or the limit.")
        )
    if study.time_limit and study.choices_after >= study.time_limit:
        raise Refused("choices_after", _("The photo would be over before anything can be chosen."))
