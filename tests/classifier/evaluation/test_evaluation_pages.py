"""Pages of evaluations: choosing, watching, reading, downloading; and who may."""

import io
import json
import re
import zipfile

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

from classifier.models import Evaluation
from classifier.services.evaluation import evaluations
from classifier.services.evaluation.kept import gallery as kept_gallery
from classifier.services.evaluation.report import Report
from skinclinic.archive.services.datasets import datasets, dividing, freezing
from skinclinic.engine import jobs
from skinclinic.files import store
from skinclinic.services import records
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests import evaluated, factories
from tests.cases import each
from tests.skinclinic.pages import NASTY, audited, url

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def stock(standing):
    with standing.building() as home:
        clinic = factories.make_clinic("Hanok Dermatology")
        curator = factories.make_member(clinic, "curator", "curtis")
        entries = evaluated.make_entries(clinic, curator)
        test_set = evaluated.freeze(clinic, curator, entries)
        model = evaluated.make_model(clinic, home, "one")
        evaluated.score(model, entries)
        standing.keep(clinic=clinic, curator=curator, entries=entries, test_set=test_set, model=model)


@pytest.fixture
def entries(stock, given):
    return given["entries"]


@pytest.fixture
def test_set(stock, given):
    return given["test_set"]


@pytest.fixture
def model(stock, given):
    return given["model"]


@pytest.fixture
def row(clinic, curator, model, test_set):
    return evaluated.evaluated(clinic, curator, [model], [test_set])


def text_of(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_models_and_datasets_are_chosen_on_a_page(clinic, curator, model, test_set, client_for):
    datasets.create(clinic, curator, "Draft")
    client = client_for(curator)
    page = text_of(client.get(url("evaluation-new")))
    assert "A draft: freeze it first." in page and "12 photos" in page
    wrong = client.post(url("evaluation-new"), {"name": "x"})
    assert (wrong.status_code, Evaluation.objects.count()) == (422, 0)
    assert "Choose from 1 to" in text_of(wrong)
    sent = {"name": "By page", "model": model.pk, "dataset": test_set.pk}
    answer = client.post(url("evaluation-new"), sent)
    row = Evaluation.objects.get()
    assert answer["Location"] == url("evaluation", row.pk)
    assert "hx-get" in client.get(url("evaluation", row.pk)).content.decode()
    assert "HX-Refresh" not in client.get(url("work", "evaluation", row.pk))
    jobs.run_waiting(evaluations.JOB)
    assert client.get(url("work", "evaluation", row.pk))["HX-Refresh"] == "true"
    assert "Results by disease" in text_of(client.get(url("evaluation", row.pk)))
    assert "By page" in text_of(client.get(url("evaluations")))


@each("value", NASTY)
def test_nonsense_is_answered_kindly(value, curator, model, test_set, client_for, row):
    client = client_for(curator)
    sent = dict.fromkeys(("name", "model", "dataset", "premalignant_as"), value)
    assert client.post(url("evaluation-new"), sent).status_code in (400, 413, 422)
    for name in ("evaluation", "evaluation-disease", "evaluation-figure", "evaluation-gallery",
                 "evaluation-heatmap", "evaluation-download"):  # fmt: skip
        short = value[:1000]
        query = dict.fromkeys(
            ("dataset", "model", "group", "key", "kind", "as", "item", "page", "order", "truth"), short
        )
        assert client.get(url(name, row.pk), query).status_code in (200, 400, 404)
    assert client.post(url("evaluation-act", row.pk), {"act": value}).status_code in (302, 400, 413)


def test_the_result_says_what_it_is(row, curator, client_for, model, test_set):
    page = client_for(curator).get(url("evaluation", row.pk))
    text = text_of(page)
    assert "It does not diagnose" in text
    assert "nothing: random weights" in text
    assert "Nobody knows which photos one was trained on" in text
    assert "not evaluable: no photo of it" in text
    assert "0.96 ± 0.01" in text and "10.1016/j.jid.2018.01.028" in text
    found = page.context["rows"][0]
    assert found.auc.text in page.content.decode()


def test_every_disease_has_its_figures(row, curator, client_for):
    client = client_for(curator)
    for key in DISEASE_KEYS:
        page = client.get(url("evaluation-disease", row.pk), {"key": key})
        assert page.status_code == 200
        shown = page.content.decode()
        assert shown.count("<figure") == 6
        is_missing = key in {"scc", "iec", "lentigo", "pg", "hemangioma", "df", "wart"}
        assert shown.count("evaluation-nothing") == (3 if is_missing else 0)
    bcc = client.get(url("evaluation-disease", row.pk), {"key": "bcc"}).content.decode()
    # Numbers stand to the right, and so do their heads; words to the left; nothing is called -inf.
    for table in re.findall(r"<table.*?</table>", bcc, re.DOTALL):
        head, first = re.findall(r"<tr.*?</tr>", table, re.DOTALL)[:2]
        of_numbers = ["num" in cell for cell in re.findall(r"<t[hd]\b[^>]*>", head)]
        assert of_numbers == ["num" in cell for cell in re.findall(r"<t[hd]\b[^>]*>", first)], head
    assert (
        "−∞" in bcc and "-inf" not in bcc and re.search(r'<td>Test set v1</td><td class="num">−∞</td>', bcc)
    )
    points = json.loads(re.search(r'<script id="points-bcc-roc"[^>]*>(.*?)</script>', bcc)[1])
    assert [one["name"] for one in points] == [
        "among all others",
        "among other malignant",
        "among other benign",
    ]
    said = points[0]["points"][1][0]
    assert re.match(r"threshold \S+ · sensitivity \S+ % \(\d/3; .*\) · specificity .* \(\d/9; .*\)", said)


def test_files(row, curator, client_for):
    client = client_for(curator)
    for wanted, start in (("svg", b"<?xml"), ("png", b"\x89PNG"), ("csv", b"\xef\xbb\xbf")):
        answer = client.get(url("evaluation-figure", row.pk), {"kind": "roc", "key": "bcc", "as": wanted})
        assert answer.content.startswith(start)
        assert f'"bcc-roc.{wanted}"' in answer["Content-Disposition"]
    missing = {"kind": "roc", "key": "wart", "as": "png"}
    assert client.get(url("evaluation-figure", row.pk), missing).status_code == 404
    figures = client.get(url("evaluation-download", row.pk), {"what": "figures"})
    with zipfile.ZipFile(io.BytesIO(b"".join(figures.streaming_content))) as archive:
        assert archive.testzip() is None
        assert {"table.csv", "report.json", "confusion.svg", "bcc-roc.png"} <= set(archive.namelist())
    journal = {"what": "figures", "format": ["eps", "docx"], "width": "85", "title": "0", "notes": "0"}
    figures = client.get(url("evaluation-download", row.pk), journal)
    with zipfile.ZipFile(io.BytesIO(b"".join(figures.streaming_content))) as archive:
        assert {name.rpartition(".")[2] for name in archive.namelist()} == {
            "csv",
            "json",
            "html",
            "eps",
            "docx",
        }
        # What the figures do not say themselves stands in the list.
        index = archive.read("index.html").decode()
        assert 'href="bcc-roc.eps"' in index and "photos of the disease: 3" in index
    for asked in ({"format": "bmp"}, {"width": "100"}, {"dpi": "72"}):
        assert client.get(url("evaluation-download", row.pk), {"what": "figures", **asked}).status_code == 404
    report = client.get(url("evaluation-download", row.pk), {"what": "report"}).json()
    assert report["name"] == "First"
    assert b"Asan" in client.get(url("evaluation-download", row.pk), {"what": "table"}).content
    assert audited("evaluation.fetch")


def test_the_gallery_begins_with_confident_mistakes(row, curator, client_for, model):
    client = client_for(curator)
    page = client.get(url("evaluation-gallery", row.pk))
    tiles = page.context["tiles"]
    leads = [float(tile["score"]) - float(tile["own"]) for tile in tiles]
    assert leads == sorted(leads, reverse=True) and leads[0] > 0
    assert page.content.decode().count("Synthetic") == len(tiles)
    assert page.context["mistakes"] == sum(not tile["is_right"] for tile in tiles)
    only = client.get(url("evaluation-gallery", row.pk), {"truth": "mm", "order": "plain"})
    assert [tile["truth"] for tile in only.context["tiles"]] == ["mm", "mm"]
    picture = client.get(url("evaluation-heatmap", row.pk), {"item": tiles[0]["item"]})
    assert audited("evaluation.photos")
    assert Image.open(io.BytesIO(picture.content)).size == (320, 320)
    files = client.get(url("evaluation-heatmaps", row.pk))
    with zipfile.ZipFile(io.BytesIO(b"".join(files.streaming_content))) as archive:
        assert len(archive.namelist()) == 13
        assert archive.namelist()[0] == f"{tiles[0]['item']}-{tiles[0]['first']}.png"


def test_the_gallery_reads_off_its_orders_what_the_scores_give(row):
    report = Report(row)
    (dataset,), (model,) = ([one["pk"] for one in of] for of in (report.datasets, report.models))
    made, scores = kept_gallery.of(report, dataset, model), report.scores(dataset, model)
    for order in kept_gallery.ORDERS:
        places = kept_gallery.sorted_places(scores, order)
        assert list(made.places(order)) == places.tolist()
        for label in set(scores["truth"].tolist()):
            assert list(made.places(order, label)) == places[scores["truth"][places] == label].tolist()
    assert not len(made.places("plain", "none of these"))
    assert [made.photo_of(item) for item in scores["items"]] == scores["photos"].tolist()
    assert made.photo_of(1_000_000) == made.photo_of(0) == 0


@pytest.mark.parametrize("label", ["Eczema & dermatitis", "50 % + more #2"])
def test_pages_of_a_label_with_signs_of_addresses_go_on(label, clinic, curator, tmp_path, client_for):
    entries = evaluated.make_entries(clinic, curator, [label] * 30 + ["bcc"], source="Signs")
    model = evaluated.make_model(clinic, tmp_path, "signs")
    evaluated.score(model, entries)
    row = evaluated.evaluated(clinic, curator, [model], [evaluated.freeze(clinic, curator, entries)])
    client = client_for(curator)
    first = client.get(url("evaluation-gallery", row.pk), {"truth": label})
    second = client.get(url("evaluation-gallery", row.pk) + first.context["next_url"])
    assert [len(page.context["tiles"]) for page in (first, second)] == [24, 6]
    assert {tile["truth"] for tile in second.context["tiles"]} == {label}
    back = client.get(url("evaluation-gallery", row.pk) + second.context["previous_url"])
    assert [one["item"] for one in back.context["tiles"]] == [one["item"] for one in first.context["tiles"]]


def test_an_answer_that_is_kept_back_is_kept_back_here(row, clinic, clinician, entries, client_for):
    """A photo of the clinic's own patient whose impression this clinician still owes."""
    from classifier.services.analysis.analyses import request_analysis

    clinic.impression_first = True
    clinic.save()
    lesion = entries[0].photo.lesion
    lesion.is_archived = False
    lesion.save()
    request_analysis(entries[0].photo, user=clinician, version=row.model_versions.get())
    client = client_for(clinician)
    tiles = client.get(url("evaluation-gallery", row.pk)).context["tiles"]
    (kept,) = [tile for tile in tiles if tile["hidden"]]
    assert kept["name"] == entries[0].external_id
    assert client.get(url("evaluation-heatmap", row.pk), {"item": kept["item"]}).status_code == 404
    files = client.get(url("evaluation-heatmaps", row.pk))
    with zipfile.ZipFile(io.BytesIO(b"".join(files.streaming_content))) as archive:
        assert len(archive.namelist()) == 12
    # Nor is one shown whose patient has taken the consent back since.
    records.change(entries[1].patient, {"research_consent": "refused"}, clinician)
    page = client.get(url("evaluation-gallery", row.pk))
    (gone,) = [tile for tile in page.context["tiles"] if tile["barred"]]
    assert gone["name"] == entries[1].external_id and "consent withdrawn" in text_of(page)
    assert client.get(url("evaluation-heatmap", row.pk), {"item": gone["item"]}).status_code == 404
    files = client.get(url("evaluation-heatmaps", row.pk))
    with zipfile.ZipFile(io.BytesIO(b"".join(files.streaming_content))) as archive:
        assert len(archive.namelist()) == 11
    # One whose file is lost is no photo that never was: the table says what became of it.
    store.delete(entries[2].photo.file_key)
    (tile,) = [tile for tile in page.context["tiles"] if tile["name"] == entries[2].external_id]
    answer = client.get(url("evaluation-heatmap", row.pk), {"item": tile["item"]})
    assert answer.status_code == 404 and "file is lost" in answer.content.decode()
    files = client.get(url("evaluation-heatmaps", row.pk))
    with zipfile.ZipFile(io.BytesIO(b"".join(files.streaming_content))) as archive:
        assert len(archive.namelist()) == 10
        assert archive.read("photos.csv").decode().count("the photo's file is lost") == 1
        lines = archive.read("photos.csv").decode("utf-8-sig").splitlines()
        assert len(lines) == 11 and lines[0].startswith("file,truth,first_choice,")
        assert {line.partition(",")[0] for line in lines[1:]} - {"the photo's file is lost"} == {
            name for name in archive.namelist() if name != "photos.csv"
        }


def test_only_curators_evaluate_and_outsiders_see_nothing(
    row, clinician, coordinator, outsider, client_for, model, test_set
):
    for user in (clinician, coordinator):
        client = client_for(user)
        assert client.get(url("evaluation", row.pk)).status_code == 200
        assert client.get(url("evaluation-new")).status_code == 403
        assert client.post(url("evaluation-act", row.pk), {"act": "delete"}).status_code == 403
    client = client_for(outsider)
    assert client.get(url("evaluation", row.pk)).status_code == 404
    sent = {"name": "Stolen", "model": model.pk, "dataset": test_set.pk}
    assert client.post(url("evaluation-new"), sent).status_code == 422
    assert Evaluation.objects.count() == 1


def test_leaks_are_shown_and_left_out_by_a_button(clinic, curator, entries, test_set, model, client_for):
    training = evaluated.freeze(clinic, curator, entries[:2], "Training set", "train")
    model.trained_on_version = training
    model.save()
    row = evaluated.evaluated(clinic, curator, [model], [test_set])
    client = client_for(curator)
    text = text_of(client.get(url("evaluation", row.pk)))
    assert "one has seen 2 of the 12 photos of Test set v1" in text
    assert entries[0].external_id in text
    client.post(url("evaluation-act", row.pk), {"act": "remove-leaks"})
    jobs.run_waiting(evaluations.JOB)
    text = text_of(client.get(url("evaluation", row.pk)))
    assert "2 of 12 photos of Test set v1 were left out for every model" in text
    assert "10 photos of 10 known patients" in text


def test_a_report_whose_files_are_gone_says_so(row, curator, client_for):
    (row.folder / "report.json").unlink()
    client = client_for(curator)
    assert "not on this server any more" in text_of(client.get(url("evaluation", row.pk)))
    assert client.get(url("evaluation-gallery", row.pk))["Location"] == url("evaluation", row.pk)
    client.post(url("evaluation-act", row.pk), {"act": "delete"})
    assert not Evaluation.objects.exists()


@pytest.fixture
def queries_of():
    """queries_of(client, address) -> how many queries a request takes, its stream read to the end."""

    def count(client, *address) -> int:
        with CaptureQueriesContext(connection) as asked:
            answer = client.get(*address)
            assert answer.status_code == 200
            if answer.streaming:
                b"".join(answer.streaming_content)
        return len(asked)

    return count


def test_choosing_datasets_takes_as_many_queries_for_15_as_for_5(
    clinic, curator, entries, model, client_for, queries_of
):
    client = client_for(curator)
    for page in ("evaluation-new", "model-training-new"):
        client.get(url(page))
    taken = {}
    for number in range(1, 16):
        draft = datasets.create(clinic, curator, f"Set {number}")
        datasets.set_members(draft, clinic.entries.all())
        if number % 2:
            dividing.split(draft, "patient", 0.5, seed=number)
        freezing.freeze(draft, curator)
        if number in (5, 15):
            for page in ("evaluation-new", "model-training-new"):
                taken[page, number] = queries_of(client, url(page))
    assert taken["evaluation-new", 15] == taken["evaluation-new", 5] <= 15
    assert taken["model-training-new", 15] == taken["model-training-new", 5] <= 15
    offers = {
        offer.row.dataset.name: (offer.photos, offer.side) for offer in evaluations.dataset_offers(clinic)
    }
    assert offers["Set 2"] == (12, "all")
    assert offers["Set 1"][1] == "test" and 0 < offers["Set 1"][0] < 12


def test_a_zip_of_heatmaps_takes_as_many_queries_for_15_photos_as_for_5(
    clinic, curator, tmp_path, client_for, queries_of
):
    client = client_for(curator)
    model = evaluated.make_model(clinic, tmp_path, "drawn")
    taken = []
    for number in (5, 15):
        name = f"Of {number}"
        entries = evaluated.make_entries(
            clinic, curator, (["bcc", "mm"] * 8)[:number], source=name, first=20 * number
        )
        evaluated.score(model, entries)
        frozen = evaluated.freeze(clinic, curator, entries, name=name)
        row = evaluated.evaluated(clinic, curator, [model], [frozen], name=name)
        taken.append(queries_of(client, url("evaluation-heatmaps", row.pk)))
    assert taken[0] == taken[1]
