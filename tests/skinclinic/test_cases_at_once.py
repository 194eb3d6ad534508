"""Many cases at once, tags and saved searches of the worklist."""

import pytest
from django.urls import reverse

from skinclinic.models import CasesChange, CaseTag, Lesion, RecordChange, SavedSearch
from skinclinic.services import case_tags, cases, cases_at_once, worklist
from skinclinic.services.refused import Refused
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def opened(clinic, clinician):
    patient = factories.make_patient(clinic)
    make = {"clinic": clinic, "created_by": clinician}
    rows = [Lesion.objects.create(patient=patient, site=site, **make) for site in ("nose", "ear", "lip")]
    return [*rows, Lesion.objects.create(**make)]


def found(clinic, user, **asked):
    filters = worklist.Filters.read({"show": "all", **asked})
    return {row.pk for row in worklist.lesions(clinic, user, filters, answers_open=True)}


def test_cases_are_assigned_together_and_taken_back_where_nobody_changed_them(
    clinic, clinician, curator, opened, client_for, outsider
):
    client, act = client_for(clinician), reverse("cases-act")
    keys = [lesion.pk for lesion in opened]
    cases.assign(opened[0], curator, clinician)
    foreign = Lesion.objects.create(clinic=outsider.memberships.get().clinic)
    sent = {"act": "assign", "assignee": curator.pk, "lesions": ",".join(map(str, [*keys, foreign.pk]))}
    page = client.post(act, sent, follow=True).content.decode()
    assert "3 cases are assigned to Curtis" in page and "1 was so already" in page
    assert f"#{foreign.pk}: not there any more" in page and "Left as they are" in page
    assert set(Lesion.objects.filter(pk__in=keys).values_list("assignee", flat=True)) == {curator.pk}
    assert RecordChange.objects.count() == 4
    # Somebody changes one of them meanwhile: it stays, and is named.
    cases.assign(opened[1], clinician, curator)
    undo = reverse("cases-undo", args=[CasesChange.objects.get().pk])
    page = client.post(undo, follow=True).content.decode()
    assert "Undone for 2 cases" in page and f"{opened[1]}: changed since" in page
    stands = [lesion.assignee for lesion in Lesion.objects.filter(pk__in=keys).order_by("pk")]
    assert stands == [curator, clinician, None, None]
    assert "was undone already" in client.post(undo, follow=True).content.decode()
    history = client.get(reverse("lesion", args=[keys[1]])).content.decode()
    assert history.count("Assigned to Clara") and "before: Curtis" in history
    # All that a list shows, without naming them.
    client.post(act, {"act": "assign", "assignee": "", "all": "1", "list": "?show=all"})
    assert not Lesion.objects.filter(pk__in=keys).exclude(assignee=None).exists()
    for wrong in ({"assignee": outsider.pk}, {"lesions": ""}, {"act": "?"}):
        assert "notice-error" in client.post(act, sent | wrong, follow=True).content.decode()


def test_photos_are_filed_together_and_the_rest_is_named(clinic, clinician, opened, client_for):
    photos = [factories.make_photo(clinic, clinician, seed=seed) for seed in (1, 2)]
    keys = [*(photo.lesion_id for photo in photos), opened[0].pk, opened[3].pk]
    client = client_for(clinician)
    onward = client.post(reverse("cases-act"), {"act": "file", "lesions": keys})
    assert onward.url == f"{reverse('filing')}?ids={photos[1].pk},{photos[0].pk}"
    page = client.get("/?show=all").content.decode()
    assert f"{opened[0]}: filed already" in page and "has no photo" in page
    _photos, left = cases_at_once.to_file(clinician.memberships.get(), [999_999])
    assert left == [("#999999", "not there any more")]


def test_too_many_at_once_are_refused_before_anything_happens(clinic, clinician, opened, monkeypatch):
    monkeypatch.setattr(cases_at_once, "MOST", 3)
    with pytest.raises(Refused):
        cases_at_once.chosen(clinician.memberships.get(), clinician, worklist.Filters(show="all"), None)


def test_tags_are_put_on_searched_renamed_merged_and_deleted(
    clinic, clinician, admin_user, opened, client_for, outsider
):
    client, page = client_for(clinician), reverse("case-tags")
    first, second, third, _unfiled = opened
    tag_it = reverse("lesion-tag", args=[first.pk])
    client.post(tag_it, {"tag": "  #Teaching  case "})
    client.post(tag_it, {"tag": "teaching CASE"})
    tag = CaseTag.objects.get()
    assert tag.name == "Teaching case" and first.tagged.count() == 1
    client.post(reverse("cases-act"), {"act": "tag", "tag": "Rounds", "lesions": [first.pk, second.pk]})
    rounds = CaseTag.objects.get(name="Rounds")
    assert found(clinic, clinician, tag=str(rounds.pk)) == {first.pk, second.pk}
    assert found(clinic, clinician, q="tag:teach") == {first.pk} == found(clinic, clinician, q="case nose")
    assert found(clinic, clinician, q="tag:nose") == set()
    assert "Teaching case" in client.get("/?show=all").content.decode()
    like = client.get(reverse("case-tags-like"), {"q": "ro"}).json()["terms"]
    assert [one["label"] for one in like] == ["Rounds"]
    # Undone: the tag goes where it came.
    member = clinician.memberships.get()
    done = cases_at_once.tag(member, clinician, [second.pk, third.pk], "rounds")
    assert (done.changed, done.same) == (1, 1)
    cases_at_once.undo(done.change, clinician)
    off = cases_at_once.untag(member, clinician, [first.pk, third.pk], "Rounds")
    assert off.changed == 1 and found(clinic, clinician, tag=str(rounds.pk)) == {second.pk}
    cases_at_once.undo(off.change, clinician)
    # Keeping them in order is for admins, and never reaches another clinic's.
    assert client.post(page, {"pk": tag.pk, "act": "delete"}).status_code == 403
    admin = client_for(admin_user)
    admin.post(page, {"pk": tag.pk, "act": "rename", "name": "rounds"})
    assert CaseTag.objects.get(pk=tag.pk).name == "Teaching case"
    foreign = outsider.memberships.get().clinic.case_tags.create(name="Theirs", created_by=outsider)
    assert admin.post(page, {"pk": tag.pk, "act": "merge", "into": foreign.pk}).status_code == 404
    search = clinic.saved_searches.create(name="T", filters={"tag": str(tag.pk)}, created_by=clinician)
    admin.post(page, {"pk": tag.pk, "act": "merge", "into": rounds.pk})
    search.refresh_from_db()
    assert search.filters == {"tag": str(rounds.pk)}
    assert not CaseTag.objects.filter(pk=tag.pk).exists() and rounds.tagged.count() == 2
    admin.post(page, {"pk": rounds.pk, "act": "delete"})
    assert Lesion.objects.filter(pk=first.pk).exists() and not first.tagged.exists()
    assert "Tag that was deleted" in client.get("/", search.filters).content.decode()
    with pytest.raises(Refused):
        case_tags.named(clinic, " # ", clinician)
    assert "x" * 41 in client.post(tag_it, {"tag": "x" * 41}, headers={"HX-Request": "true"}).content.decode()


def test_searches_are_saved_for_oneself_and_for_the_clinic(clinic, clinician, curator, opened, client_for):
    client, colleague, save = client_for(clinician), client_for(curator), reverse("search-save")
    client.post(save, {"name": "Noses", "list": "?show=all&q=nose"})
    client.post(save, {"name": "Ears", "list": "?show=all&q=ear", "clinic": "1"})
    assert (
        "There is a saved search"
        in client.post(save, {"name": "EARS", "list": "", "clinic": "1"}, follow=True).content.decode()
    )
    here = client.get("/?show=all&q=nose").context["saved"]
    assert [(one.search.name, one.count, one.is_here) for one in here] == [
        ("Ears", 1, False),
        ("Noses", 1, True),
    ]
    assert [one.search.name for one in colleague.get("/").context["saved"]] == ["Ears"]
    own, clinics = SavedSearch.objects.get(name="Noses"), SavedSearch.objects.get(name="Ears")
    assert colleague.post(reverse("search-change", args=[own.pk]), {"act": "delete"}).status_code == 404
    assert colleague.post(reverse("search-change", args=[clinics.pk]), {"act": "delete"}).status_code == 403
    client.post(reverse("search-change", args=[own.pk]), {"act": "rename", "name": "My noses"})
    client.post(reverse("search-change", args=[clinics.pk]), {"act": "delete"})
    assert [search.name for search in SavedSearch.objects.all()] == ["My noses"]
