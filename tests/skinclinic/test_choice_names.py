"""The name of a choice is what Django calls it, found without translating all the others."""

from functools import partialmethod

import pytest
from django.apps import apps
from django.utils import translation

from skinclinic.models import Lesion
from skinclinic.vocabulary.sites import SITE_KEYS

CHOICES = [
    (model, field)
    for model in apps.get_models()
    if model.__module__.startswith(("skinclinic", "classifier", "reader_study"))
    for field in model._meta.fields
    # Some have a way of their own.
    if field.choices and isinstance(vars(model).get(f"get_{field.name}_display"), partialmethod)
]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_choice_of_every_model_is_called_as_django_calls_it(language):
    assert len(CHOICES) > 40
    with translation.override(language):
        for model, field in CHOICES:
            for value in [*(value for value, _name in field.flatchoices), "no such choice", None]:
                row = model(**{field.attname: value})
                assert getattr(row, f"get_{field.name}_display")() == row._get_FIELD_display(field)


def test_one_name_is_looked_up_for_one_that_is_shown(monkeypatch):
    lesion, asked = Lesion(site=SITE_KEYS[3]), []
    known = translation.gettext
    monkeypatch.setattr(translation, "gettext", lambda text: asked.append(text) or known(text))
    lesion.get_site_display()
    assert len(asked) <= 1
