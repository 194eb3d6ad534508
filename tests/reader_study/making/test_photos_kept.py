"""A photo of an open study that is deleted leaves the study at once, and the person is told before and after."""

import pytest
from django.urls import reverse

from reader_study.models import StudyImage
from reader_study.services.access import why_kept
from skinclinic.models import BinItem, Photo
from skinclinic.services.binning import bin, restoring
from tests.studies import make_study

pytestmark = pytest.mark.django_db
OPEN = "1 photo is shown no more and no longer counts in the open study Twelve lesions."


def test_it_is_taken_out_and_stays_out_when_it_is_restored(
    client_for, clinic, clinician, curator, coordinator
):
    study = make_study(clinic, coordinator).study
    image = study.images.first()
    photo: Photo = image.photo
    address = reverse("photo-delete", args=[photo.pk])
    assert "Close the study first" in why_kept(
        photo
    )  # so that undoing an import leaves no gap without a word
    asked = client_for(curator).get(address)
    assert OPEN in asked.content.decode() and BinItem.objects.count() == 0
    sent = {"reason": "identifiable", "seen": asked.context["seen"]}
    page = client_for(curator).post(address, sent, headers={"accept": "text/html"}, follow=True)
    assert OPEN in page.content.decode()
    image.refresh_from_db()
    assert image.photo is None and image.taken_out_at
    restored = restoring.restore(BinItem.objects.get(), curator)
    assert OPEN in restored.stays
    image.refresh_from_db()
    assert image.photo == photo and image.taken_out_at
    assert StudyImage.objects.filter(study=study, taken_out_at=None).count() == study.images.count() - 1


def test_a_closed_study_keeps_its_figures_and_shows_the_photo_again(clinic, curator, coordinator):
    study = make_study(clinic, coordinator, state="closed").study
    photo = study.images.first().photo
    item = bin.put(photo, curator, reason="withdrawn")
    assert study.images.filter(photo=None).count() == 1
    assert "closed_studies" in {effect["what"] for effect in item.effects}
    restoring.restore(item, curator)
    assert not study.images.filter(photo=None).exists()
