"""Labels that the nearest proven photos contradict."""

import numpy as np
import pytest

from classifier.models import Analysis
from classifier.services.analysis import batch_analyses, features
from classifier.services.evaluation import label_checks
from classifier.services.similar import bank, contradicted
from skinclinic.archive.models import Entry
from skinclinic.archive.services.curating import review
from skinclinic.archive.services.searching.selection import Selection
from skinclinic.models import Patient
from tests import evaluated, results
from tests.skinclinic.pages import url

pytestmark = pytest.mark.django_db


@pytest.fixture
def checked(clinic, curator, monkeypatch):
    """Two kinds of lesions; two photos of the first are called by the name of the second, one is of a disease that the
    archive has one photo of."""
    monkeypatch.setattr(bank, "_banks", type(bank._banks)())
    # What the model says is given, not computed.
    monkeypatch.setattr(batch_analyses, "analyse", lambda *arguments, **options: [])
    model = results.make_version()
    labels = ["bcc"] * 13 + ["nevus"] * 11 + ["ak"]
    entries = evaluated.make_entries(clinic, curator, labels)
    Entry.objects.filter(pk__in=[entries[0].pk, entries[1].pk]).update(label="nevus")
    evaluated.score(model, entries)
    random = np.random.default_rng(4)
    for entry, centre in zip(entries, [(5, 1, 0)] * 13 + [(0, 1, 5)] * 11 + [(1, 9, 1)], strict=True):
        box = entry.photo.box
        row = Analysis(
            clinic=clinic, photo=entry.photo, model_version=model, box_x=box.x, box_y=box.y, box_size=box.size
        )
        features.keep([(row, (np.array(centre) + random.uniform(0, 0.3, 3)).astype(np.float16))])
    check = label_checks.ask(clinic, curator, Selection())
    label_checks.run(check)
    check.refresh_from_db()
    return check, entries


def standing(check) -> set[int]:
    return {one.entry.pk for one in contradicted.standing(check)}


def test_a_label_that_its_neighbours_do_not_have_is_named_with_what_they_say(checked):
    check, entries = checked
    rows = {row["entry"]: row for row in check.contradicted["rows"]}
    assert {entries[0].pk, entries[1].pk} == rows.keys()
    told = rows[entries[0].pk]
    assert (told["label"], told["says"]) == ("nevus", "bcc")
    assert told["share"] >= 9
    assert check.contradicted["silent"] == 1, "there is one photo of its disease"


def test_who_was_looked_at_since_or_withdrew_leaves_the_list(checked, curator, clinic):
    check, (first, second, *_rest) = checked
    assert standing(check) == {first.pk, second.pk}
    review.decide(clinic=clinic, user=curator, entry_ids=[first.pk], review="accepted", reason="", seen="")
    Entry.objects.filter(pk=first.pk, reviewed_at=None).update(label="bcc")
    assert second.pk in standing(check)
    review.edit(entry=Entry.objects.get(pk=second.pk), user=curator, label="bcc")
    assert second.pk not in standing(check)
    Patient.objects.filter(pk=first.patient_id).update(research_consent="refused")
    assert standing(check) == set()


def test_with_too_few_neighbours_nothing_is_said(checked, clinic):
    _check, entries = checked
    Entry.objects.filter(pk__in=[entry.pk for entry in entries[14:]]).update(is_proven=False)
    Entry.objects.filter(pk__in=[entry.pk for entry in entries[:5]]).update(is_proven=False)
    keys = [(entry.pk, entry.photo_id) for entry in entries]
    assert contradicted.among(results.ModelVersion.objects.get(), keys) == ([], len(entries))


def test_curators_see_them_from_the_review(checked, curator, clinician, client_for):
    check, entries = checked
    type(check).objects.filter(pk=check.pk).update(state="done")
    client = client_for(curator)
    address = url("review-neighbours")
    assert address in client.get(url("review")).content.decode()
    shown = client.get(address).content.decode()
    assert url("archive-entry", entries[0].pk) in shown and "of 10: Basal cell carcinoma" in shown
    assert client_for(clinician).get(address).status_code == 403
    assert address not in client_for(clinician).get(url("review")).content.decode()


def test_a_check_from_before_says_so_and_none_is_no_page(checked, curator, client_for):
    check, _entries = checked
    type(check).objects.filter(pk=check.pk).update(contradicted={})
    assert (
        "before the product could compare"
        in client_for(curator).get(url("review-neighbours")).content.decode()
    )
    type(check).objects.all().delete()
    assert client_for(curator).get(url("review-neighbours")).status_code == 404
