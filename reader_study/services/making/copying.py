"""A new draft made like a study that is there: its settings, sessions, groups, design and recipe, nobody's answers."""

import copy

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from reader_study.models import Study
from reader_study.services.making import sampling
from reader_study.services.results import model_answers
from skinclinic.models import User
from skinclinic.services.refused import Refused

# What belongs to the one study: its state, its protocol, its days and its people.
OWN = frozenset({
    "id", "name", "origin", "state", "recipe", "protocol", "protocol_sha256", "created_at", "created_by", "opened_at",
    "opened_by", "closed_at", "closed_by", "ends_on", "unblinded_at", "reminders_at", "is_synthetic", "thresholds",
})  # fmt: skip
# Rows of settings that hang on a study and are made anew, and what of them opening drew.
ROWS = ("sessions", "groups", "design")
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
    for name in ROWS:
        relation = Study._meta.get_field(name)
        for row in relation.related_model.objects.filter(study=study).order_by("pk"):
            row.pk, row.study = None, made
            row._state.adding = True
            for drawn, before in _DRAWN.items():
                if hasattr(row, drawn):
                    setattr(row, drawn, before)
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
