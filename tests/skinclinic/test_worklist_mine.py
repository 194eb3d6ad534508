"""The worklist is mine: its views and counts, my diagnosis before the model's, search, and reading through a list."""

from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone

from skinclinic.models import Diagnosis, Lesion
from skinclinic.services import cases, diagnoses, plans, worklist, worklist_search
from skinclinic.services.worklist_search import split
from tests import factories
from tests.cases import each

DAY = timedelta(days=1)


def today():
    return timezone.localdate()


def fresh(row):
    return type(row).objects.get(pk=row.pk)


@pytest.fixture(scope="module")
def five(standing):
    """Five analysed cases, the first the newest, and who reads them."""
    with standing.building():
        clinic = factories.make_clinic("Hanok Dermatology")
        clinician = factories.make_member(clinic, "clinician", "clara")
        curator = factories.make_member(clinic, "curator", "curtis")
        rows = []
        for number in range(5):
            photo = factories.make_photo(clinic, clinician, seed=number, name=f"IMG_{2040 + number} arm.jpg")
            patient = factories.make_patient(clinic, f"P-{number}", birth_year=1950 + number, sex="female")
            Lesion.objects.filter(pk=photo.lesion_id).update(
                patient=patient, site="nose" if number else "upper_arm", state="done", top_disease="mm",
                top_score=0.5, malignant_sum=number / 10,
            )  # fmt: skip
            rows.append(Lesion.objects.get(pk=photo.lesion_id))
        standing.keep(clinic=clinic, clinician=clinician, curator=curator, five=rows[::-1])


@pytest.fixture
def lesions(five, given):
    return given["five"]


def say(lesion, user, *, disagrees=False, **named):
    """A decision as the result page tells it to the worklist."""
    diagnosis = diagnoses.record(lesion=lesion, user=user, kind=Diagnosis.Kind.IMPRESSION, **named)
    cases.note_decision(
        lesion.cover, user, diagnosis=diagnosis, decided_at=timezone.now(), disagrees=disagrees
    )
    return diagnosis


def listed(response):
    return [row.lesion for row in response.context["rows"]]


class TestViews:
    def test_each_holds_its_cases_and_says_how_many(self, lesions, client_for, clinician):
        a, b, c, d, e = lesions
        say(a, clinician, disease="nevus", disagrees=True)
        say(b, clinician, disease="mm")
        plans.await_biopsy(c, clinician, today() - DAY)
        plans.await_biopsy(d, clinician, today() - 3 * DAY)
        plans.see_again(e, clinician, today() + DAY)
        diagnoses.record(lesion=d, user=clinician, kind="pathology", disease="bcc")
        client = client_for(clinician)
        expected = {
            "": [c, e], "to-decide": [c, e], "biopsy": [c], "follow-up": [], "disagreement": [a],
            "unplanned": [b], "proven": [d], "not-filed": [], "all": [a, b, c, d, e],
        }  # fmt: skip
        for view, rows in expected.items():
            response = client.get("/", {"show": view})
            assert listed(response) == rows, view
            assert response.context["hits"] == len(rows)
            assert response.context["counts"][view or "to-decide"] == len(rows)
        page = client.get("/", {"show": "unplanned"}).content.decode()
        assert "Malignant, nothing planned" in page.split("<tbody>")[1]
        # The counts are of what the other filters leave.
        assert client.get("/", {"q": "P-4"}).context["counts"]["all"] == 1
        assert client.get("/", {"sort": "malignant", "show": "all"}).context["hits"] == 5

    def test_due_cases_come_longest_due_first_and_overdue_ones_are_marked(
        self, lesions, client_for, clinician
    ):
        a, b, c, *_others = lesions
        for lesion, days in ((a, 0), (b, -9), (c, 5)):
            step = plans.see_again(lesion, clinician, today() + 90 * DAY)
            type(step).objects.filter(pk=step.pk).update(due_on=today() + days * DAY)
            cases.refresh(lesion)
        response = client_for(clinician).get("/?show=follow-up")
        assert listed(response) == [b, a]
        rows = response.content.decode().split("<tbody>")[1]
        assert "Overdue since" in rows and "Due today" in rows

    def test_mine_is_what_is_assigned_to_me_or_opened_by_me_and_nobody_s(
        self, lesions, client_for, clinician, curator
    ):
        a, b, *_others = lesions
        cases.assign(a, curator)
        cases.assign(b, clinician)
        assert listed(client_for(curator).get("/?mine=1")) == [a]
        assert listed(client_for(clinician).get("/?mine=1")) == lesions[1:]
        client = client_for(clinician)
        assert listed(client.get(f"/?assignee={curator.pk}")) == [a]
        assert listed(client.get("/?assignee=nobody")) == lesions[2:]
        assert listed(client.get("/?assignee=x")) == lesions
        assert "Curtis" in client.get("/").content.decode().split("<tbody>")[1]

    def test_more_than_can_be_counted_quickly_is_said_so(self, lesions, client_for, clinician, monkeypatch):
        monkeypatch.setattr(worklist, "MOST_COUNTED", 3)
        page = client_for(clinician).get("/").content.decode()
        assert "More than 3 cases" in page and "3+" in page

    def test_older_is_said_only_of_age(self, lesions, client_for, clinician, monkeypatch):
        from skinclinic.views import worklist as view

        monkeypatch.setattr(view, "PAGE_SIZE", 2)
        client = client_for(clinician)
        assert "Older" in client.get("/").content.decode()
        page = client.get("/?sort=malignant").content.decode()
        assert "Older" not in page and "Next" in page

    @each("view", worklist.VIEWS)
    def test_an_empty_view_says_why(self, lesions, client_for, clinician, view):
        Lesion.objects.exclude(pk=lesions[0].pk).delete()
        say(lesions[0], clinician, disease="sk")
        page = client_for(clinician).get("/", {"show": view}).content.decode()
        assert "Nothing matches" not in page and ("Show all cases" in page or view == "all")


class TestColumns:
    def test_mine_colleagues_and_pathology_come_before_the_model_s(
        self, lesions, client_for, clinician, curator
    ):
        lesion = lesions[0]
        say(lesion, clinician, disease="nevus")
        say(lesion, curator, text="Keratoacanthoma")
        diagnoses.record(lesion=lesion, user=clinician, kind="pathology", icd10="L40.0", text="Psoriasis")
        row = client_for(clinician).get("/?show=all&q=P-4").content.decode().split("<tbody>")[1]
        places = [
            row.index(text) for text in ("Psoriasis", "Melanocytic nevus", "Keratoacanthoma", "melanoma")
        ]
        assert places == sorted(places)

    def test_where_the_own_impression_comes_first_nothing_of_others_does(
        self, lesions, client_for, clinic, clinician, curator, coordinator
    ):
        lesion = lesions[0]
        clinic.impression_first = True
        clinic.save()
        say(lesion, curator, text="Keratoacanthoma", icd10="C44.9", disagrees=True)
        client = client_for(clinician)
        page = client.get("/?show=all").content.decode().split("<tbody>")[1]
        assert "Keratoacanthoma" not in page and "nothing planned" not in page
        assert "Colleagues' once you have decided" in page
        for query in (
            "show=disagreement",
            "show=unplanned",
            "show=all&q=keratoacanthoma",
            "show=all&q=C44.9",
        ):
            response = client.get(f"/?{query}")
            assert listed(response) == [], query
        assert response.context["counts"]["all"] == 0
        assert "Keratoacanthoma" in client_for(coordinator).get("/?show=all").content.decode()
        page = client.get(f"/lesions/{lesion.pk}/").content.decode()
        assert "Keratoacanthoma" not in page and "once you have decided" in page
        say(lesion, clinician, disease="sk")
        page = client.get("/?show=all").content.decode().split("<tbody>")[1]
        assert "Keratoacanthoma" in page
        assert listed(client.get("/?show=disagreement")) == [lesion]


class TestSearch:
    def test_it_finds_all_that_a_row_shows_and_more(self, lesions, client_for, clinician, curator):
        a, b, _c, _d, e = lesions
        say(a, curator, text="Early keratoacanthoma, 각질가시세포종")
        cases.assign(b, curator)
        Lesion.objects.filter(pk=b.pk).update(created_at=timezone.make_aware(datetime(2019, 3, 9, 12)))
        client = client_for(clinician)
        expected = {
            "keratoac": [a], "각질가시": [a], "IMG_2040": [e], "2040": [e], "img_2040 arm.jpg": [e],
            "upper arm": [e], "upper arm p-0": [e], "p-0 melanoma": [e], "nose p-0": [], "상완": [e],
            "curtis": [a, b], "2019": [b], "2019 melanoma nose": [b], "nose P-4 keratoacanthoma": [a],
            "clara img": [a, *lesions[2:], b], "female": [a, *lesions[2:], b], "male": [], "analysed p-1": [lesions[3]],
            str(today().year - 1952): [lesions[2]], "malignant melanoma p-2": [lesions[2]], "p-2 wart": [],
        }  # fmt: skip
        for text, rows in expected.items():
            assert listed(client.get("/", {"q": text, "show": "all"})) == rows, text

    def test_what_very_many_have_is_found_whole(self, lesions, client_for, clinician, monkeypatch):
        client = client_for(clinician)
        for few in (0, 3, 6):
            monkeypatch.setattr(worklist_search, "FEW", few)
            for text in ("img", "img clara", "female"):
                assert listed(client.get("/", {"q": text})) == lesions, (few, text)

    def test_words_that_belong_together_are_one_term(self, lesions, clinic):
        assert split(clinic, "P-1 basal cell carcinoma upper arm 2024. 3. 9. x") == [
            "P-1", "basal cell carcinoma", "upper arm", "2024. 3. 9.", "x",
        ]  # fmt: skip

    def test_a_search_that_finds_nothing_here_offers_where_it_does(self, lesions, client_for, clinician):
        say(lesions[0], clinician, disease="sk")
        response = client_for(clinician).get("/?q=P-4")
        assert listed(response) == [] and 'href="?q=P-4&amp;show=all"' in response.content.decode()

    def test_another_clinic_s_words_are_not_looked_at(self, lesions, client_for, outsider):
        assert listed(client_for(outsider).get("/?show=all&q=IMG")) == []

    @each("text", ["%", "_", "\\", "a " * 40, "٣", "12345678901234567890", "ㄱ", "P-1 " * 20, "'\"<>"])
    def test_odd_texts_get_an_answer(self, lesions, client_for, clinician, text):
        assert client_for(clinician).get("/", {"q": text, "show": "all"}).status_code == 200


class TestWalk:
    def read(self, client, address):
        response = client.get(address)
        return response, response.context["walk"]

    def start(self, client, query=""):
        return [row.url for row in client.get(f"/{query}").context["rows"]]

    def test_next_and_previous_follow_the_list_and_its_order(self, lesions, client_for, clinician):
        client = client_for(clinician)
        urls = self.start(client, "?sort=malignant&q=nose")
        seen, address = [], urls[0]
        while address:
            response, walk = self.read(client, address)
            seen.append((response.context["lesion"], walk.place.number, walk.place.total))
            address = walk.next_url
        assert seen == [(lesion, number, 4) for number, lesion in enumerate(lesions[:4], start=1)]
        assert urlsplit(walk.previous_url).path == urlsplit(urls[2]).path
        assert "4 of 4" in response.content.decode()

    def test_a_case_that_was_just_decided_keeps_its_place(self, lesions, client_for, clinician):
        client = client_for(clinician)
        urls = self.start(client)
        say(lesions[1], clinician, disease="sk")
        _response, walk = self.read(client, urls[1])
        assert (walk.place.number, walk.place.total) == (2, 5)
        _response, after = self.read(client, walk.next_url)
        assert (after.place.number, after.place.total) == (3, 5)
        assert urlsplit(after.previous_url).path == urlsplit(urls[1]).path
        # Back in the list the case is gone, and what follows it has the focus.
        back = client.get(after.list_url.partition("#")[0])
        assert lesions[1] not in listed(back)
        assert [row.lesion for row in back.context["rows"] if row.is_here] == [lesions[2]]
        back = client.get(walk.list_url.partition("#")[0])
        assert [row.lesion for row in back.context["rows"] if row.is_here] == [lesions[2]]

    def test_n_goes_to_the_next_undecided_then_to_those_passed_over_then_back(
        self, lesions, client_for, clinician
    ):
        client = client_for(clinician)
        address = self.start(client)[1]
        for lesion in lesions[2:4]:
            say(lesion, clinician, disease="sk")
        _response, walk = self.read(client, address)
        response = client.get(walk.undecided_url, follow=True)
        assert response.context["lesion"] == lesions[4]
        for lesion in (lesions[1], lesions[4]):
            say(lesion, clinician, disease="sk")
        response = client.get(response.context["walk"].undecided_url, follow=True)
        assert response.context["lesion"] == lesions[0] and "end of the list" in response.content.decode()
        say(lesions[0], clinician, disease="sk")
        response = client.get(response.context["walk"].undecided_url, follow=True)
        assert "Nothing of this list is left to decide" in response.content.decode()

    def test_a_case_that_left_another_view_is_said_to_have(self, lesions, client_for, clinician):
        for lesion in lesions[:3]:
            plans.await_biopsy(lesion, clinician, today())
        client = client_for(clinician)
        urls = self.start(client, "?show=biopsy")
        diagnoses.record(lesion=lesions[1], user=clinician, kind="pathology", disease="sk")
        response, walk = self.read(client, urls[1])
        assert walk.place.number is None and "No longer in the list" in response.content.decode()
        assert [urlsplit(url).path for url in (walk.previous_url, walk.next_url)] == [
            urlsplit(url).path for url in (urls[0], urls[2])
        ]

    def test_back_leads_to_the_page_of_the_row(self, lesions, client_for, clinician, monkeypatch):
        from skinclinic.views import worklist as view

        monkeypatch.setattr(view, "PAGE_SIZE", 2)
        client = client_for(clinician)
        address = self.start(client)[0]
        for _step in range(3):
            address = self.read(client, address)[1].next_url
        back = client.get(self.read(client, address)[1].list_url.partition("#")[0])
        assert listed(back) == lesions[2:4]
        assert [row.lesion for row in back.context["rows"] if row.is_here] == [lesions[3]]
        assert back.context["previous_url"] and back.context["next_url"]

    def test_cases_without_a_photo_are_walked_through_too(self, lesions, client_for, clinician, clinic):
        lesion = Lesion.objects.create(clinic=clinic, patient=lesions[0].patient, site="ear")
        client = client_for(clinician)
        response, walk = self.read(client, self.start(client)[0])
        assert response.context["lesion"] == lesion and walk.place.total == 6
        assert urlsplit(walk.next_url).path == f"/photos/{lesions[0].cover_id}/"

    @each("query", ["list=", "list=x&began=x&at=x", "list=&began=1e400&at=W10", "list=%00&began=-1&at=%00"])
    def test_made_up_places_are_as_if_not_asked(self, lesions, client_for, clinician, query):
        client = client_for(clinician)
        assert client.get(f"/photos/{lesions[0].cover_id}/?{query}").status_code == 200
        assert client.get(f"/worklist/next/?{query}").status_code == 302
        assert client.get(f"/?{query}&case=x").status_code == 200

    def test_the_address_of_a_case_names_its_list(self, lesions, client_for, clinician):
        address = self.start(client_for(clinician), "?sort=malignant&q=nose")[0]
        assert parse_qs(urlsplit(address).query)["list"] == ["q=nose&sort=malignant"]
