"""Comments on a case: who reads them, whom they call, what stays of them."""

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from skinclinic.engine import jobs
from skinclinic.models import Call, Comment, LesionTag
from skinclinic.services import belongings, cases, comments, filing, second_opinions
from skinclinic.services.refused import Refused
from tests import factories

pytestmark = pytest.mark.django_db


def test_a_comment_calls_who_is_named_and_keeps_its_history(photo, clinician, curator, client_for, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    lesion, client, colleague = photo.lesion, client_for(clinician), client_for(curator)
    address, page = reverse("lesion-comments", args=[lesion.pk]), reverse("lesion", args=[lesion.pk])
    names = client.get(reverse("lesion-people", args=[lesion.pk]), {"q": "cur"}).json()["terms"]
    assert [(one["value"], one["label"]) for one in names] == [(str(curator.pk), "Curtis")]
    # Chosen from the list; a key that is not in the text, and a name that is nobody's, call nobody.
    client.post(address, {"text": "Look, @Curtis and @nobody.", "mentions": [curator.pk, 99999]})
    (comment,) = Comment.objects.all()
    assert list(comment.mentioned.all()) == [curator]
    jobs.run_waiting("mail")
    assert [letter.to for letter in mail.outbox] == [[curator.email]] and "Look" not in mail.outbox[0].body
    assert "1" in colleague.get("/?show=for-me").content.decode().split('id="view-for-me"')[1][:200]
    assert "Clara names you here" in colleague.get(page).content.decode()
    # Changed: the earlier words stay, nobody is called twice.
    client.post(reverse("comment-change", args=[comment.pk]), {"text": "Look again, @curtis."})
    assert Call.objects.count() == 1 and "Look, @Curtis" in colleague.get(page).content.decode()
    # An answer says that the call was seen.
    colleague.post(address, {"text": "I agree."})
    assert not Call.objects.filter(done_at=None).exists()
    for act in ("comment-change", "comment-delete"):
        colleague.post(reverse(act, args=[comment.pk]), {"text": "mine now"})
    comment.refresh_from_db()
    assert comment.text == "Look again, @curtis." and comment.deleted_at is None
    client.post(reverse("comment-delete", args=[comment.pk]))
    shown = colleague.get(page).content.decode()
    assert "Deleted by its author" in shown and "Look again" not in shown and "I agree." in shown
    refused = client.post(address, {"text": " \n "}, headers={"HX-Request": "true"})
    assert refused.status_code == 422 and "Write something first" in refused.content.decode()


def test_comments_wait_for_the_own_decision(photo, clinician, curator, client_for):
    photo.clinic.impression_first = True
    photo.clinic.save()
    comments.write(photo.lesion, curator, "Surely a melanoma")
    client = client_for(clinician)
    pages = [reverse("lesion", args=[photo.lesion_id]), reverse("photo", args=[photo.pk]), "/api/comments/"]
    assert not [page for page in pages if "Surely" in client.get(page).content.decode()]
    assert "1 comment of colleagues" in client.get(pages[0]).content.decode()
    assert client.get(f"/api/comments/{Comment.objects.get().pk}/").status_code == 404
    sent = {"lesion": photo.lesion_id, "text": "Mine, @curtis"}
    made = client.post("/api/comments/", sent, content_type="application/json").json()
    assert made["mentioned"] == ["curtis"] and made["created_by"] == "clara"
    cases.note_decision(photo, clinician, diagnosis=None, decided_at=timezone.now(), disagrees=False)
    assert not [page for page in pages if "Surely" not in client.get(page).content.decode()]


def test_what_people_said_goes_with_the_photos_and_comes_back(clinic, clinician, curator):
    home = factories.make_photo(clinic, clinician, seed=1).lesion
    photo = factories.make_photo(clinic, clinician, seed=2)
    source, patient = photo.lesion, factories.make_patient(clinic)
    home.patient = patient
    home.save()
    comment = comments.write(source, curator, "Hello @clara")
    second_opinions.ask_outside(source, clinician, name="Noor", photos=[photo])
    tag = clinic.case_tags.create(name="Teaching", created_by=clinician)
    LesionTag.objects.create(clinic=clinic, lesion=source, tag=tag, created_by=clinician)
    receipt = filing.file_photos(
        [photo], user=clinician, patient=patient, lesion=home, details=filing.Details()
    )
    comment.refresh_from_db()
    assert comment.lesion == home and home.tagged.get().tag == tag and home.second_opinions.exists()
    filing.undo(receipt)
    comment.refresh_from_db()
    photo.refresh_from_db()
    assert comment.lesion == photo.lesion != home and photo.lesion.tagged.get().tag == tag
    assert not home.tagged.exists() and photo.lesion.calls.get().user == clinician
    # A lesion of which something was said is not one that goes with its photo.
    assert belongings.any_of(comment.lesion) and not belongings.any_of(home)
    with pytest.raises(Refused):
        comments.change(comment, clinician, "not mine")
