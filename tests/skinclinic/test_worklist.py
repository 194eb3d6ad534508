"""The worklist: what it lists, finds, hides and says, and that it costs the same for any number of rows."""

import re
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from skinclinic.models import Diagnosis, Lesion, Patient
from skinclinic.services import diagnoses, worklist
from skinclinic.web import keyset
from tests import crowd, factories
from tests.cases import each


@pytest.fixture
def opened(clinic, clinician):
    """opened(code, **fields) -> a lesion of the patient of this code (None: not filed)."""

    def make(code="P-1", **fields):
        patient = None
        if code:
            patient = clinic.patients.filter(code=code).first() or factories.make_patient(clinic, code)
        created_at = fields.pop("created_at", None)
        lesion = Lesion.objects.create(
            clinic=clinic, patient=patient, created_by=fields.pop("by", clinician), **fields
        )
        if created_at:
            Lesion.objects.filter(pk=lesion.pk).update(created_at=created_at)
        return lesion

    return make


def listed(response):
    return [row.lesion for row in response.context["rows"]]


def done(disease, malignant_sum=0.5, **fields):
    return {
        "state": "done",
        "top_disease": disease,
        "top_score": 0.6,
        "malignant_sum": malignant_sum,
    } | fields


class TestWho:
    def test_signed_out_people_go_to_sign_in(self, client, db):
        assert client.get("/").status_code == 302

    def test_members_see_their_clinic_only(self, client_for, clinician, coordinator, outsider, opened):
        lesion = opened()
        for user in (clinician, coordinator):
            assert listed(client_for(user).get("/")) == [lesion]
        assert listed(client_for(outsider).get("/")) == []

    def test_somebody_without_a_clinic_is_told(self, client_for, django_user_model):
        assert client_for(django_user_model.objects.create_user("nobody")).get("/").status_code == 403

    def test_post_is_refused(self, client_for, clinician):
        assert client_for(clinician).post("/").status_code == 405
        assert client_for(clinician).post("/worklist/rows/").status_code == 405

    def test_rows_of_another_clinic_are_not_sent(self, client_for, outsider, opened):
        lesion = opened(state="done")
        answer = client_for(outsider).get("/worklist/rows/", {"seen": f"{lesion.pk}.queued"})
        assert b"case-" not in answer.content


class TestFilters:
    def test_each_narrows_the_list(self, client_for, clinician, curator, opened):
        client = client_for(clinician)
        waiting = opened("P-1", state="queued")
        melanoma = opened("P-2", **done("mm", 0.9))
        proven = opened("P-3", **done("sk", 0.1, is_proven=True, proven_disease="sk"), by=curator)
        unfiled = opened(None, **done("nevus", 0.2), created_at=timezone.now() - timedelta(days=40))
        month_ago = (timezone.localdate() - timedelta(days=30)).isoformat()
        expected = {
            "state=queued": [waiting],
            "disease=mm": [melanoma],
            "show=all": [proven, melanoma, waiting, unfiled],
            "show=proven": [proven],
            "show=not-filed": [unfiled],
            "mine=1": [melanoma, waiting, unfiled],
            f"until={month_ago}": [unfiled],
            f"since={month_ago}": [proven, melanoma, waiting],
            "sort=malignant": [melanoma, unfiled, proven],
            "sort=malignant&state=queued": [waiting],
            "disease=mm&show=proven": [],
        }
        for query, lesions in expected.items():
            assert listed(client.get(f"/?{query}")) == lesions, query

    def test_nonsense_is_as_if_not_asked(self, client_for, clinician, opened):
        lesion = opened()
        client = client_for(clinician)
        for query in (
            "state=%00", "disease='--", "show=all", "since=yesterday", "until=9999-99-99", "sort=x", "q=%00",
            "since=0001-01-01", "until=9999-12-31", "mine=2", "cursor=" + "A" * 5000, "cursor=%00",
        ):  # fmt: skip
            assert listed(client.get(f"/?{query}")) == [lesion], query

    def test_half_a_character_is_only_text_that_finds_nothing(self, client_for, clinician, opened):
        opened()
        assert listed(client_for(clinician).get("/?q=%ED%A0%80")) == []

    def test_the_address_of_a_list_is_short_and_complete(self):
        filters = worklist.Filters.read({"q": "P-1", "state": "done", "sort": "malignant", "junk": "x"})
        assert filters.address() == "?q=P-1&state=done&sort=malignant"
        assert filters.address(state="") == "?q=P-1&sort=malignant"
        assert worklist.Filters().address() == ""

    def test_htmx_gets_the_list_alone_and_the_address_to_show(self, client_for, clinician, opened):
        opened(state="queued")
        answer = client_for(clinician).get("/?q=&state=queued&disease=", headers={"HX-Request": "true"})
        assert answer["HX-Push-Url"] == "/?state=queued"
        assert b"<html" not in answer.content and b'id="worklist"' in answer.content


class TestSearch:
    def test_it_finds_codes_diseases_icd10_and_dates(self, client_for, clinician, opened):
        client = client_for(clinician)
        first = opened("KR-0012", **done("mm"), created_at=timezone.make_aware(datetime(2024, 3, 9, 12)))
        second = opened("KR-0499", **done("wart"))
        third = opened("Zoster-7", **done("nevus"))
        diagnoses.record(lesion=third, user=clinician, kind="pathology", icd10="L40.0", text="Psoriasis")
        diagnoses.record(lesion=second, user=clinician, kind="pathology", disease="df")
        expected = {
            "kr-0": [second, first],
            "KR-0012": [first],
            "melanoma": [first],
            "악성흑색종": [first],
            "C43": [first],
            "l40.0": [third],
            "dermatofibroma": [second],
            "2024-03-09": [first],
            "2024. 3. 9.": [first],
            "2024년 3월": [first],
            "2024-03": [first],
            "2024-02-30": [],
            "%": [],
            "_": [],
            "12": [],
        }
        for text, lesions in expected.items():
            assert listed(client.get("/", {"q": text, "show": "all"})) == lesions, text

    def test_a_withdrawn_diagnosis_is_not_found(self, client_for, clinician, opened):
        lesion = opened()
        diagnosis = diagnoses.record(
            lesion=lesion, user=clinician, kind="pathology", icd10="L40.0", text="Psoriasis"
        )
        diagnoses.withdraw(diagnosis, clinician)
        assert listed(client_for(clinician).get("/", {"q": "L40.0"})) == []

    def test_a_prefix_of_very_many_patients_still_finds(self, clinic, clinician, client_for, monkeypatch):
        from skinclinic.services import worklist_search

        monkeypatch.setattr(worklist_search, "FEW", 3)
        crowd.fill(clinic, clinician, 30)
        assert len(listed(client_for(clinician).get("/", {"q": "p-0000"}))) > 20


class TestPages:
    @pytest.mark.parametrize("sort", ["", "malignant"])
    def test_every_row_comes_once_forwards_and_backwards(
        self, clinic, clinician, client_for, sort, monkeypatch
    ):
        from skinclinic.views import worklist as view

        monkeypatch.setattr(view, "PAGE_SIZE", 20)
        crowd.fill(clinic, clinician, 90)
        client = client_for(clinician)
        pages, address = [], f"/?sort={sort}"
        while address:
            response = client.get(address)
            pages.append([lesion.pk for lesion in listed(response)])
            address = response.context["next_url"]
        everything = Lesion.objects.filter(clinic=clinic)
        if sort:
            everything = everything.filter(malignant_sum__isnull=False).order_by("-malignant_sum", "-id")
        assert [pk for page in pages for pk in page] == list(everything.values_list("pk", flat=True))
        for page in reversed(pages[:-1]):
            response = client.get(response.context["previous_url"])
            assert [lesion.pk for lesion in listed(response)] == page

    def test_rows_that_arrive_meanwhile_shift_nothing(self, clinic, clinician, client_for, opened):
        crowd.fill(clinic, clinician, 70)
        client = client_for(clinician)
        first = client.get("/")
        expected = Lesion.objects.filter(clinic=clinic)[50:].values_list("pk", flat=True)
        expected = list(expected)
        opened("new one")
        assert [lesion.pk for lesion in listed(client.get(first.context["next_url"]))] == expected

    @pytest.mark.parametrize("sort", ["", "malignant"])
    def test_the_number_of_queries_does_not_grow(self, clinic, clinician, client_for, sort, monkeypatch):
        from skinclinic.views import worklist as view

        monkeypatch.setattr(view, "PAGE_SIZE", 200)
        clinic.impression_first = not sort
        clinic.save()
        client = client_for(clinician)
        counts = []
        for number in (1, 200):
            Lesion.objects.all().delete()
            Patient.objects.all().delete()
            crowd.fill(clinic, clinician, number)
            Lesion.objects.update(**done("mm"))
            with CaptureQueriesContext(connection) as queries:
                response = client.get(f"/?sort={sort}")
            assert len(listed(response)) == number
            counts.append(len(queries))
        assert counts[0] == counts[1]


class TestOwnImpressionFirst:
    @pytest.fixture
    def strict(self, clinic, clinician, opened, monkeypatch):
        clinic.impression_first = True
        clinic.save()
        photo = factories.make_photo(clinic, clinician)
        Lesion.objects.filter(pk=photo.lesion_id).update(**done("mm", 0.93))
        hidden = {photo.pk}
        monkeypatch.setattr(worklist, "answer_filters", [lambda user, member, photos: hidden & set(photos)])
        return photo, hidden

    def test_the_answer_is_hidden_until_it_may_be_seen(self, strict, client_for, clinician):
        _photo, hidden = strict
        page = client_for(clinician).get("/").content.decode()
        assert "Your impression first" in page
        assert "Malignant melanoma" not in page.split("<tbody>")[1]
        assert "0.930" not in page
        hidden.clear()
        page = client_for(clinician).get("/").content.decode()
        assert "Malignant melanoma" in page.split("<tbody>")[1] and "0.930" in page

    def test_no_order_filter_or_search_tells_it(self, strict, client_for, clinician, opened):
        photo, _hidden = strict
        other = opened("P-9", **done("wart", 0.01))
        client = client_for(clinician)
        everything = [other, photo.lesion]
        assert listed(client.get("/?sort=malignant")) == everything
        assert listed(client.get("/?disease=mm")) == everything
        assert listed(client.get("/?q=melanoma")) == []
        assert "own impression comes first" in client.get("/").content.decode()

    def test_those_who_only_look_are_not_asked(self, strict, client_for, coordinator):
        photo, hidden = strict
        hidden.clear()
        assert listed(client_for(coordinator).get("/?q=melanoma")) == [photo.lesion]

    def test_without_anybody_to_ask_everything_stays_hidden(self, strict, client_for, clinician, monkeypatch):
        monkeypatch.setattr(worklist, "answer_filters", [])
        assert client_for(clinician).get("/").context["rows"][0].hidden

    def test_changed_rows_hide_it_too(self, strict, client_for, clinician):
        photo, _hidden = strict
        answer = client_for(clinician).get("/worklist/rows/", {"seen": f"{photo.lesion_id}.queued"})
        assert "Your impression first" in answer.content.decode()
        assert "melanoma" not in answer.content.decode()


class TestChangedRows:
    def test_only_rows_that_moved_on_are_sent(self, client_for, clinician, opened):
        waiting, finished = opened("P-1", state="queued"), opened("P-2", **done("mm"))
        seen = f"{waiting.pk}.queued,{finished.pk}.running,{finished.pk + 999}.queued,x.y,,99999999999999999999.a"
        page = client_for(clinician).get("/worklist/rows/", {"seen": seen}).content.decode()
        assert f'id="case-{finished.pk}"' in page and 'hx-swap-oob="true"' in page
        assert f'id="case-{waiting.pk}"' not in page

    @each("seen", ["", "\0", "1", "1.", ",".join(["5.queued"] * 5000), "٣.queued"])
    def test_odd_questions_get_an_answer(self, client_for, clinician, seen):
        assert client_for(clinician).get("/worklist/rows/", {"seen": seen}).status_code == 200


class TestEmpty:
    def test_a_first_visit_says_what_the_page_is_for(self, client_for, clinician, coordinator):
        page = client_for(clinician).get("/").content.decode()
        assert "No cases yet" in page and "Upload the first photos" in page
        assert "Upload the first photos" not in client_for(coordinator).get("/").content.decode()

    def test_no_match_offers_a_way_back(self, client_for, clinician, opened):
        opened()
        page = client_for(clinician).get("/?state=failed").content.decode()
        assert "Nothing matches" in page and "Show all cases" in page


class TestRows:
    def test_a_row_shows_the_case(self, client_for, clinician, clinic):
        born = timezone.localdate().year - 41
        patient = factories.make_patient(clinic, "P-77 <b>", sex="female", birth_year=born)
        photo = factories.make_photo(clinic, clinician)
        Lesion.objects.filter(pk=photo.lesion_id).update(
            patient=patient, site="nose", is_proven=True, proven_disease="bcc", **done("mm", 0.42)
        )
        row = client_for(clinician).get("/").content.decode().split("<tbody>")[1]
        for text in (
            "P-77 &lt;b&gt;",
            "Female 41 years",
            "Nose",
            "Malignant melanoma",
            "0.420",
            "Analysed",
            "Basal cell carcinoma",
        ):
            assert text in row, text
        assert f'href="/photos/{photo.pk}/?list=' in row and f'href="/lesions/{photo.lesion_id}/"' in row

    def test_names_are_in_the_reader_s_language(self, client_for, clinician, opened):
        opened(**done("mm"))
        client = client_for(clinician)
        page = client.get("/", headers={"Accept-Language": "ko"}).content.decode()
        assert "악성흑색종" in page.split("<tbody>")[1]


class TestKeyset:
    @each("key", [[], ["a"], ["a", "x", "y"], ["a", None, 1], ["a", True, 1], ["c", "2024-01-01T00:00:00Z", 1],
                ["a", "2024-01-01T00:00:00Z", 2**70], ["a", "\0", 1], {"a": 1}, "a", 5])  # fmt: skip
    def test_a_cursor_made_by_somebody_else_is_refused(self, db, key):
        import base64
        import json

        cursor = base64.urlsafe_b64encode(json.dumps(key).encode()).decode()
        with pytest.raises(keyset.BadCursor):
            keyset.page(Lesion.objects.all(), worklist.NEWEST_FIRST, cursor, 10)

    @each("cursor", ["!", "A", "é", "\0", "bm9wZQ", "W" * 9999, "W1tbW1tb"])
    def test_other_text_is_refused(self, db, cursor):
        with pytest.raises(keyset.BadCursor):
            keyset.page(Lesion.objects.all(), worklist.NEWEST_FIRST, cursor, 10)

    def test_equal_first_keys_lose_no_row(self, clinic, clinician, opened):
        moment = timezone.now()
        rows = [opened("P-1", created_at=moment) for _number in range(9)]
        page, seen = keyset.page(Lesion.objects.all(), worklist.NEWEST_FIRST, "", 4), []
        while True:
            seen += page.rows
            if not page.next:
                break
            page = keyset.page(Lesion.objects.all(), worklist.NEWEST_FIRST, page.next, 4)
        assert seen == rows[::-1]


def test_a_lesion_of_an_impression_is_not_proven(opened, clinician):
    lesion = opened()
    diagnoses.record(lesion=lesion, user=clinician, kind=Diagnosis.Kind.IMPRESSION, disease="mm")
    lesion.refresh_from_db()
    assert not lesion.is_proven


def test_links_of_rows_are_told_apart_by_those_who_hear_them(client_for, clinician, clinic):
    for number in range(3):
        factories.make_photo(clinic, clinician, seed=number, name=f"arm-{number}.jpg")
    page = client_for(clinician).get("/", {"show": "not-filed"}).content.decode()
    for kind in ("case-link", "case-lesion"):
        links = re.findall(rf'<a class="{kind}"([^>]*)>(.*?)</a>', page, re.S)
        labels = [(re.search('aria-label="([^"]*)"', tag), text) for tag, text in links]
        names = {
            label[1] if label else " ".join(re.sub(r"<[^>]*>", " ", text).split()) for label, text in labels
        }
        assert len(links) == len(names) == 3, names
