"""Samples are drawn, and what a model has seen is searched, before the lock: what changes meanwhile is seen."""

import pytest

from reader_study.models import Study
from reader_study.services.locking import ChangedMeanwhile
from reader_study.services.making import opening, sampling, taking_out
from reader_study.services.making.sampling import Recipe

pytestmark = pytest.mark.django_db


def once_while(monkeypatch, owner, name: str, change) -> None:
    """Do something once, when this function is called."""
    real, done = getattr(owner, name), []

    def slow(*arguments, **options):
        if not done:
            done.append(True)
            change()
        return real(*arguments, **options)

    monkeypatch.setattr(owner, name, slow)


def sample_of(study: Study) -> list[str]:
    return list(study.images.order_by("pk").values_list("content_sha256", flat=True))


def test_another_model_is_chosen_while_a_sample_is_drawn(ready, coordinator, monkeypatch):
    before, recipe = sample_of(ready), Recipe.of(ready)
    other = None if ready.model_version_id else ready.clinic.models.first()
    once_while(
        monkeypatch, sampling.Stock, "alike",
        lambda: Study.objects.filter(pk=ready.pk).update(model_version=other),
    )  # fmt: skip
    with pytest.raises(ChangedMeanwhile):
        sampling.draw(ready, coordinator, recipe)
    assert sample_of(ready) == before
    assert sampling.draw(ready, coordinator, recipe).images.exists()


def test_a_study_is_opened_while_a_sample_is_drawn(ready, coordinator, monkeypatch):
    before = sample_of(ready)
    once_while(
        monkeypatch, sampling.Stock, "alike",
        lambda: Study.objects.filter(pk=ready.pk).update(state=Study.State.OPEN),
    )  # fmt: skip
    with pytest.raises(sampling.Refused, match="not a draft"):
        sampling.draw(ready, coordinator, Recipe.of(ready))
    assert sample_of(ready) == before


def test_two_take_out_photos_at_the_same_moment(ready, coordinator, monkeypatch):
    """Both go, and no photo is put into two places."""
    first, second = ready.images.filter(is_practice=False).order_by("pk")[:2]
    once_while(
        monkeypatch, sampling.Stock, "alike",
        lambda: taking_out.take_out(ready, second, coordinator, replace=True),
    )  # fmt: skip
    taking_out.take_out(ready, first, coordinator, replace=True)
    now = sample_of(ready)
    assert not {first.content_sha256, second.content_sha256} & set(now)
    assert len(now) == len(set(now))
    assert set(Study.objects.get(pk=ready.pk).recipe["taken_out"]) == {
        first.content_sha256,
        second.content_sha256,
    }


def test_the_same_photo_is_taken_out_twice_at_the_same_moment(ready, coordinator, monkeypatch):
    image, count = ready.images.first(), ready.images.count()
    once_while(
        monkeypatch, sampling.Stock, "alike", lambda: taking_out.take_out(ready, image, coordinator)
    )  # fmt: skip
    with pytest.raises(sampling.Refused, match="not in the sample any more"):
        taking_out.take_out(ready, image, coordinator, replace=True)
    assert ready.images.count() == count - 1


def test_the_sample_changes_while_what_the_model_has_seen_is_searched(ready, coordinator, monkeypatch):
    image = ready.images.first()
    once_while(
        monkeypatch, opening.sampling, "seen_by_model", lambda: taking_out.take_out(ready, image, coordinator)
    )
    with pytest.raises(ChangedMeanwhile):
        opening.open_study(ready, coordinator)
    assert Study.objects.get(pk=ready.pk).is_draft
    assert opening.open_study(ready, coordinator).is_open


def test_what_comes_in_the_way_meanwhile_keeps_a_study_closed(ready, coordinator, monkeypatch):
    once_while(
        monkeypatch, opening.sampling, "seen_by_model",
        lambda: Study.objects.filter(pk=ready.pk).update(question=""),
    )  # fmt: skip
    with pytest.raises(opening.Refused, match="question is empty"):
        opening.open_study(ready, coordinator)
    assert Study.objects.get(pk=ready.pk).is_draft
