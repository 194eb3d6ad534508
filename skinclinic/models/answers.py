"""Answers of patients, and what came before in a patient's life."""

from typing import Any

from django.db import models

from skinclinic.vocabulary import asked


def answer(name: Any) -> "models.CharField[str, str]":
    """A question; nothing is assumed of what was not asked."""
    return models.CharField(name, max_length=7, choices=asked.ANSWERS, blank=True, default=asked.NOT_ASKED)


class History(models.Model):
    """What a patient was asked once, as ``vocabulary.asked.HISTORY`` names it."""

    skin_cancer_history = answer(dict(asked.HISTORY)["skin_cancer_history"])
    other_cancer_history = answer(dict(asked.HISTORY)["other_cancer_history"])
    family_history = answer(dict(asked.HISTORY)["family_history"])
    immunosuppressed = answer(dict(asked.HISTORY)["immunosuppressed"])
    smoke = answer(dict(asked.HISTORY)["smoke"])
    drink = answer(dict(asked.HISTORY)["drink"])
    pesticide = answer(dict(asked.HISTORY)["pesticide"])
    has_piped_water = answer(dict(asked.HISTORY)["has_piped_water"])
    has_sewage_system = answer(dict(asked.HISTORY)["has_sewage_system"])

    class Meta:
        abstract = True
