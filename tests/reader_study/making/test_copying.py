"""A study copied: every setting is taken over, nothing of its sample and its people is."""

import pytest
from django.db import models

from reader_study.models import Study, StudyDesign
from reader_study.services.making import copying

pytestmark = pytest.mark.django_db

# Fields whose value is checked by what it names: any other value would be no study.
_NAMED = {"clinic", "model_version", "threshold_set"}


def unusual(field: models.Field):
    """A value that the field does not have by itself."""
    if field.choices:
        return next(value for value, _name in field.choices if value != field.get_default())
    if isinstance(field, models.BooleanField):
        return not field.get_default()
    if isinstance(field, models.JSONField):
        return {"ko": field.name} if field.default is dict else [field.name]
    if isinstance(field, models.IntegerField | models.FloatField):
        return (field.get_default() or 0) + 1
    return field.name


def test_every_setting_is_taken_over_and_nothing_else(opened, coordinator):
    settings = {
        field.attname: unusual(field)
        for field in Study._meta.concrete_fields
        if field.name not in copying.OWN | _NAMED
    }
    assert len(settings) > 35 and {"question_in", "operating_point", "asks_about_reader"} <= set(settings)
    Study.objects.filter(pk=opened.pk).update(**settings)
    StudyDesign.objects.create(study=opened, arms="crossover", blocks=3, blocks_a_reader=2, repeats=1, seed=5)
    opened.refresh_from_db()
    made, again = (copying.copy_study(opened, coordinator) for _n in range(2))
    made.refresh_from_db()
    assert {name: getattr(made, name) for name in settings} == settings
    for name in _NAMED:
        assert getattr(made, f"{name}_id") == getattr(opened, f"{name}_id")
    assert made.is_draft and (made.name, again.name) == (f"{opened.name} (copy)", f"{opened.name} (copy 2)")
    assert not made.protocol and made.thresholds is None and made.opened_at is None
    assert made.recipe["per"] == opened.recipe["per"] and made.recipe["seed"] != opened.recipe["seed"]

    relations = {one.get_accessor_name() for one in Study._meta.related_objects}
    assert relations == set(copying.ROWS) | copying.LEFT, "say of each whether a copy takes it over"
    for name in copying.ROWS:
        model = Study._meta.get_field(name).related_model
        kept = [one.attname for one in model._meta.concrete_fields if one.name not in {"id", "study", "seed"}]
        rows = [list(model.objects.filter(study=one).values_list(*kept)) for one in (opened, made)]
        assert rows[0] == rows[1] and rows[0], name
    assert made.design.seed is None, "opening draws its own"
    for name in copying.LEFT - {"events"}:
        model = Study._meta.get_field(name).related_model
        assert not model.objects.filter(study=made).exists(), name
