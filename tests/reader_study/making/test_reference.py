"""What the truths of a sample rest on; a panel that votes before the study opens; the documents that say it."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pypdf import PdfReader

from reader_study.checklists import CHECKLISTS, LABELS
from reader_study.services.making import documents, opening, protocol, reference, sampling, studies
from reader_study.services.making.sampling import Recipe
from skinclinic.archive.models import DatasetItem
from skinclinic.services.refused import Refused
from tests.skinclinic.pages import url

pytestmark = pytest.mark.django_db


@pytest.fixture
def unproven(ready, coordinator):
    """The draft with photos 1 to 4 that nothing proves; two curators agree on the fourth."""
    images = list(ready.images.order_by("number")[:4])
    DatasetItem.objects.filter(pk__in=[one.dataset_item_id for one in images]).update(is_proven=False)
    entry = images[3].dataset_item.entry
    entry.second_label = entry.label
    entry.save()
    return ready


def sheet(*rows: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(
        "votes.csv", "\n".join(["number;rater;diagnosis;date;adjudication", *rows]).encode()
    )


def test_a_panel_votes_by_table_and_by_page(unproven, coordinator, client_for):
    study, client = unproven, client_for(coordinator)
    page = url("study-reference", study.pk)
    n = study.images.filter(is_practice=False).count()
    assert (
        reference.strength(study).in_words()
        == f"proven {n - 4}, agreed by several experts 1, single opinion 3"
    )
    truth = study.images.get(number=1).truth
    wrong = sheet(
        "1;Dr A;bcc;;", "99;Dr A;bcc;;", "1;Dr A;mm;;", "2;Dr A;freckle;28.11.;maybe", "3;Dr A;freckle;;"
    )
    answer = client.post(page, {"act": "file", "file": wrong})
    said = answer.content.decode()
    assert answer.status_code == 422 and not study.panel_votes.exists()
    assert (
        "row 3" in said and "99" in said and "already in row 2" in said and "2 rows (5, 6): “freckle”" in said
    )
    other = next(key for key in study.choices if key != study.images.get(number=2).truth)
    table = sheet("1;Dr A;흑색종;2026-01-02;", f"1;Dr B;{truth};;", f"2;Dr A;{other};;", f"2;Dr B;{other};;")
    assert client.post(page, {"act": "file", "file": table}).status_code == 302
    assert study.panel_votes.count() == 4
    points = [point for point in opening.points(study) if point.code == "panel"]
    assert len(points) >= 1 and "has not decided on photo 1" in points[0].text
    with pytest.raises(Refused, match="not decided"):
        opening.open_study(study, coordinator)
    vote = {"act": "vote", "rater": "Chair", "adjudication": "1", "n-1": truth, "n-3": ""}
    assert client.post(page, vote).status_code == 302
    with pytest.raises(Refused, match="voted on this sample"):
        sampling.draw(study, coordinator, Recipe.of(study))
    assert reference.still_open(study).differing == (2,)
    assert client.post(page, {"act": "take"}).status_code == 302
    assert study.images.get(number=2).truth == other
    assert reference.still_open(study).differing == reference.still_open(study).undecided == ()
    exported = client.get(url("study-votes", study.pk)).content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(exported)))
    assert rows[0] == {
        "number": "1", "rater": "Dr A", "diagnosis": "mm", "date": "2026-01-02", "adjudication": "",
    }  # fmt: skip
    opened = opening.open_study(study, coordinator)
    kept = opened.protocol
    assert (
        kept["images"][0]["reference"] == "panel"
        and len(kept["panel"]) == 5
        and protocol.check(opened).passed
    )
    assert all(vote["diagnosis"] is None for vote in protocol.shown(opened, with_truth=False)["panel"])
    # A later second opinion in the archive changes nothing.
    before = reference.strength(opened).counts
    opened.images.get(number=3).dataset_item.entry.__class__.objects.update(
        second_label="wart", is_settled=True
    )
    assert reference.strength(opened).counts == before and protocol.check(opened).passed
    with pytest.raises(Refused):
        reference.note(opened, reference.votes_of(opened), coordinator)


def test_documents_say_what_is_stored_and_name_what_is_missing(
    opened, coordinator, client_for, subtests, django_assert_max_num_queries
):
    studies.amend(opened, coordinator, {"registration": "KCT0001", "ethics": "IRB 7"}, "given today")
    opened.refresh_from_db()
    assert protocol.check(opened).passed
    client = client_for(coordinator)
    assert {key for items in CHECKLISTS.values() for _number, key in items} == set(LABELS)
    assert [len(items) for items in CHECKLISTS.values()] == [51, 48, 44]
    # What is stored is looked up once, not for each of the lists.
    with django_assert_max_num_queries(56):
        page = client.get(url("study-documents", opened.pk) + "?list=claim").content.decode()
    lacking = documents.missing(opened, "claim")
    assert "KCT0001" in page and page.count("study-bad") == len(lacking) > 5 and "34" not in lacking
    numbers = client.get(url("study-documents", opened.pk) + "?as=csv").content.decode("utf-8-sig")
    drawn = opened.images.filter(is_practice=False).count()
    assert (
        f"Photos,Drawn,{drawn}" in numbers
        and "Readers,Invited,2" in numbers
        and "Photos,Analysed," in numbers
    )
    # A proven study: no photo's disease is told but in sums.
    for language, word, policy in (
        ("en", "Plan of analysis", "Actinic keratosis counts as"),
        ("ko", "분석 계획", "광선각화증"),
    ):
        with subtests.test(language):
            answer = client.get(url("study-protocol-pdf", opened.pk) + f"?language={language}")
            pdf = PdfReader(io.BytesIO(answer.content))
            text = "".join(one.extract_text() for one in pdf.pages)
            assert (
                word in text and policy in text and "KCT0001" in text and opened.protocol_sha256[:20] in text
            )
            assert fonts_not_embedded(pdf) == set()
    for kind in CHECKLISTS:
        rows = client.get(url("study-checklist", opened.pk, "csv") + f"?list={kind}").content.decode(
            "utf-8-sig"
        )
        assert rows.count("\r\n") == len(CHECKLISTS[kind]) + 1
    found = client.get(url("study-checklist", opened.pk, "pdf") + "?list=claim").content
    assert fonts_not_embedded(PdfReader(io.BytesIO(found))) == set()


def fonts_not_embedded(pdf: PdfReader) -> set[str]:
    found = set()
    for page in pdf.pages:
        for font in page["/Resources"].get("/Font", {}).values():
            font = font.get_object()
            inner = font["/DescendantFonts"][0].get_object() if "/DescendantFonts" in font else font
            if not any("FontFile" in key for key in inner.get("/FontDescriptor", {})):
                found.add(str(font["/BaseFont"]))
    return found
