"""A new draft made like a study that is there: its settings, sessions, groups, design and recipe, nobody's answers."""

import copy

from django.db import IntegrityError, transaction
from django.db.models import Model

from reader_study.models import ReaderGroup, Study, StudyDesign, StudySession
from reader_study.services.making import sampling
from reader_study.services.results import model_answers
from skinclinic.models import User
from skinclinic.services.refused import Refused
from skinclinic.web.counts import gettext as _

# What belongs to the one study: its state, its protocol, its days and its people.
OWN = frozenset({
    "id", "name", "origin", "state", "recipe", "protocol", "protocol_sha256", "created_at", "created_by", "opened_at",
    "opened_by", "closed_at", "closed_by", "ends_on", "unblinded_at", "reminders_at", "is_synthetic", "thresholds",
})  # fmt: skip
# Rows of settings that hang on a study and are made anew, and what of them opening drew.
ROWS: dict[str, type[Model]] = {"sessions": StudySession, "groups": ReaderGroup, "design": StudyDesign}
_DRAWN = {"seed": None, "keeps_patients": False}
# What hangs on a study and is of its sample or its people. A test holds that each relation is in one of the two.
LEFT = frozenset({"images", "events", "readers", "allocations", "panel_votes", "result"})
# Of the recipe what was wished for, and the photos that were taken out for good; what drawing found is of that sample.
_WISHES = ("per", "proven_only", "one_per_patient", "practice", "taken_out")


@transaction.atomic
def copy_study(study: Study, user: User) -> Study:
    """Make the draft; its sample is still to be drawn, by the same recipe with another seed. Raises Refused."""
    if study.origin != Study.Origin.RUN:
        raise Refused("origin", _("A study that was replayed from files cannot be copied."))
    made = Study(created_by=user, name=_name(study))
    for field in Study._meta.concrete_fields:
        if field.name not in OWN:
            setattr(made, field.attname, copy.deepcopy(getattr(study, field.attname)))
    if study.recipe.get("per"):
        made.recipe = {name: study.recipe[name] for name in _WISHES if name in study.recipe} | {
            "seed": sampling.new_seed(),
            "model": study.model_version_id,
        }
    try:
        with transaction.atomic():
            made.save()
    except IntegrityError:
        raise Refused("name", _("This clinic already has a study with this name.")) from None
    for model in ROWS.values():
        for row in model._default_manager.filter(study=study).order_by("pk"):
            row._state.adding = True
            for name, value in {"pk": None, "study": made, **_DRAWN}.items():
                if hasattr(row, name):
                    setattr(row, name, value)
            row.save()
    model_answers.request(made)
    return made


def _name(study: Study) -> str:
    taken = set(Study.objects.filter(clinic=study.clinic_id).values_list("name", flat=True))
    for number in range(1, 1000):
        end = _(" (copy)") if number == 1 else _(" (copy %(n)d)") % {"n": number}
        if (name := study.name[: 120 - len(end)] + end) not in taken:
            return name
    raise Refused("name", _("This clinic already has a study with this name."))
