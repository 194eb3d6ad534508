"""Skipped, not reached and never shown are three things; the design decides whether anything may be concluded."""

from dataclasses import replace

import numpy as np
import pytest

from classifier.metrics import notes
from reader_study.services.results.doubt_texts import texts
from reader_study.statistics.design import designs
from reader_study.statistics.reading import FileRefused, TablesRefused
from reader_study.statistics.report import report
from reader_study.statistics.tables import Answer, Image, StudyTables, read_tables
from reader_study.statistics.tidy import tidy
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests.cases import each
from tests.reader_study.made_study import made_study, write

IMAGES = tuple(Image(f"i{place}", "asan", "bcc" if place < 2 else "nevus") for place in range(4))
COUNTED = ("answered", "skipped", "not_reached", "never_shown")


def test_three_kinds_of_nothing_are_counted_by_reader_session_and_photo():
    everything = [Answer("unaided", "A", "", image.name, "bcc") for image in IMAGES]
    other = [
        Answer("unaided", "B", "", "i0", "bcc"),
        Answer("unaided", "B", "", "i1", ""),
        Answer("unaided", "B", "", "i2", "", reached=False),
    ]
    found = report(StudyTables(IMAGES, None, (*everything, *other)))
    one = found["datasets"]["asan"]["design"]["unaided"]
    assert [one[name] for name in COUNTED] == [5, 1, 1, 1]
    assert one["missing_share"] == pytest.approx(2 / 7) and one["note"] == notes.OTHER_IMAGES
    assert [one["readers"]["B"][name] for name in COUNTED] == [1, 1, 1, 1]
    assert list(one["images"]) == ["i1", "i2", "i3"]
    assert [one["images"]["i3"][name] for name in COUNTED] == [1, 0, 0, 1]
    assert [found["design"]["unaided"][name] for name in COUNTED] == [5, 1, 1, 1]
    # Of three that were given one was answered; the two missing ones are wrong, or left out.
    reader = found["datasets"]["asan"]["sessions"]["unaided"]["readers"]["B"]
    assert (reader["n"], reader["accuracy"], reader["answered_only"]["accuracy"]) == (
        3,
        pytest.approx(1 / 3),
        1,
    )
    rows = next(
        rows
        for name, _columns, rows in tidy(found, StudyTables(IMAGES, None, (*everything, *other)))
        if name == "design"
    )
    assert ("asan", "unaided", "reader", "B", 1, 1, 1, 1, 0, "", None, None) in rows
    assert (one["pattern"], one["n_blocks"]) == ("partly_crossed", 0)


def test_blocks_that_the_protocol_gave_out_are_complete_and_still_not_compared_as_crossed():
    tables = made_study(n=80, readers=4, sessions=("unaided",), datasets=("asan",))
    half = {image.name: place % 2 for place, image in enumerate(tables.images)}
    answers = tuple(one for one in tables.answers if int(one.reader[-1]) % 2 == half[one.image])
    for by_design, note in ((True, notes.BLOCKS), (False, notes.OTHER_IMAGES)):
        found = report(
            replace(tables, answers=answers, by_design=by_design),
            endpoints=["bcc"],
            margin=0.9,
            is_fixed=True,
        )
        one = found["datasets"]["asan"]["design"]["unaided"]
        assert (one["note"], one["complete"], one["missing_share"]) == (note, by_design, 0)
        assert (one["not_assigned"], one["never_shown"]) == ((160, 0) if by_design else (0, 160))
        assert (one["pattern"], one["n_blocks"]) == ("split_plot", 2)
        verdict = found["datasets"]["asan"]["verdicts"]["unaided"]["bcc"]
        assert verdict["verdict"] == "open" and note in verdict["reasons"]


@each("missing, is_complete", [(0, True), (6, True), (7, False)])
def test_five_per_cent_may_be_missing(missing, is_complete):
    tables = made_study(n=60, readers=2, sessions=("unaided",), datasets=("asan",))
    answers = tuple(
        replace(one, answer="" if place < missing else one.answer) for place, one in enumerate(tables.answers)
    )
    (found,) = designs(replace(tables, answers=answers)).values()
    assert (found["complete"], found["note"]) == (is_complete, "" if is_complete else notes.MANY_MISSING)


def test_readers_who_left_everything_out_are_missing_and_in_no_mean():
    tables = made_study(n=40, readers=4, sessions=("unaided",), datasets=("asan",))
    skipped = {"reader-02": True, "reader-03": False}
    answers = tuple(
        replace(one, answer="", reached=skipped[one.reader]) if one.reader in skipped else one
        for one in tables.answers
    )
    found = report(replace(tables, answers=answers), endpoints=["bcc"], is_fixed=True)["datasets"]["asan"]
    one = found["design"]["unaided"]
    assert [one[name] for name in COUNTED] == [80, 40, 40, 0]
    assert (one["note"], one["missing_share"]) == (notes.MANY_MISSING, 0.5)
    assert found["sessions"]["unaided"]["n_readers"] == 2
    assert notes.MANY_MISSING in found["verdicts"]["unaided"]["bcc"]["reasons"]


def test_readers_of_one_session_are_told_and_a_session_nobody_answered_is_not_compared():
    tables = made_study(n=40, readers=4, datasets=("asan",))
    first = [one for one in tables.answers if one.session == "unaided"]
    later = [one for one in tables.answers if one.session == "aided"]
    for answers, note, counts in (
        ([*first, *(one for one in later if one.reader != "reader-03")], "", (3, 1)),
        ([*first, *(replace(one, answer="") for one in later)], notes.NO_ANSWERS, (4, 0)),
    ):
        found = report(replace(tables, answers=tuple(answers)))["datasets"]["asan"]["questions"]
        test = found["accuracy"]["compare"]["unaided_vs_aided"]["all"]["accuracy"]
        assert (test["n_readers"], test["n_of_one_session"]) == counts
        assert test["note"] == note and (test["p"] is None) is bool(note)


def right_in(share: int, tables: StudyTables) -> StudyTables:
    """Readers right in ``share`` of ten, each of one half of the photos."""
    truth = {image.name: image.truth for image in tables.images}
    kept = []
    for place, one in enumerate(tables.answers):
        number = int(one.image[-4:])
        if number % 2 == int(one.reader[-2:]) % 2:
            right = (number * 7 + place // len(tables.images) * 3) % 10 < share
            kept.append(replace(one, answer=truth[one.image] if right else "wart"))
    return replace(tables, answers=tuple(kept))


def test_readers_of_halves_are_held_against_the_model_on_their_own_half():
    """Better than the model on what they read, readers must not become worse by what they were never shown."""
    keys = ("bcc", "mm", "nevus", "sk")
    base = made_study(n=160, readers=6, sessions=("unaided",), datasets=("asan",))
    images = tuple(replace(image, truth=keys[place // 2 % 4]) for place, image in enumerate(base.images))
    tables = right_in(8, replace(base, images=images))
    found = report(tables, margin=0.05, endpoints=keys, is_fixed=True)["datasets"]["asan"]
    read = found["sessions"]["unaided"]
    assert read["mean_accuracy"] == read["as_read"]["mean_accuracy"] == pytest.approx(0.8, abs=0.03)
    assert all(one["n"] == 80 and one["missing"] == 0 for one in read["readers"].values())
    for key in keys:
        test = found["ai_vs_readers"]["unaided"][key]["argmax"]
        place = DISEASE_KEYS.index(key)
        own = []
        for reader in range(6):
            half = [n for n in range(160) if n % 2 == reader % 2]
            said = {one.image: one.answer for one in tables.answers if one.reader == f"reader-{reader:02d}"}
            hits = [said[images[n].name] == key for n in half if images[n].truth == key]
            free = [said[images[n].name] != key for n in half if images[n].truth != key]
            own.append((sum(hits) / len(hits) + sum(free) / len(free)) / 2)
        assert test["readers_mean"] == pytest.approx(sum(own) / 6), place
        assert (test["method"], test["pattern"]) == ("u_statistics", "split_plot")
        assert test["ci"][0] < test["difference"] < test["ci"][1] and test["p"] is not None
        verdict = found["verdicts"]["unaided"][key]
        assert (verdict["verdict"], verdict["claim"]) == ("open", "none")
        assert verdict["reasons"] == [notes.OTHER_IMAGES]


def test_sessions_of_other_photos_are_not_compared():
    tables = made_study(n=60, readers=3, datasets=("asan",))
    answers = tuple(
        one for one in tables.answers if (int(one.image[-4:]) % 2 == 0) == (one.session == "unaided")
    )
    shared = replace(tables, answers=answers)
    found_all = report(shared)
    found = found_all["datasets"]["asan"]
    for merits in found["compare"]["unaided_vs_aided"].values():
        for one in merits.values():
            assert one["p"] is None and one["difference"] is None
            assert one["note"] in (notes.NO_COMMON_IMAGES, notes.NO_POSITIVES)
            assert one["as_read"]["p"] is None
            # Beside it, as two samples: the readers are the same, the photos are not.
            if apart := one["independent"]:
                assert one["note"] == notes.NO_COMMON_IMAGES
                assert (apart["method"], apart["pattern"]) == ("u_statistics", "cases_in_tests")
                assert apart["difference"] == pytest.approx(apart["b"] - apart["a"])
                assert apart["note"] or apart["ci"][0] <= apart["difference"] <= apart["ci"][1]
    rows = next(rows for name, _columns, rows in tidy(found_all, shared) if name == "comparisons")
    assert any("independent samples" in str(row[6]) for row in rows)


def test_the_verdict_of_a_whole_study_is_given_and_one_skipped_block_takes_it():
    keys = ("bcc", "nevus")
    base = made_study(n=160, readers=6, sessions=("unaided",), datasets=("asan",))
    images = tuple(replace(image, truth=keys[place % 2]) for place, image in enumerate(base.images))
    truth = {image.name: image.truth for image in images}
    answers = tuple(
        replace(one, answer=truth[one.image] if (place * 7) % 10 < 6 else "wart")
        for place, one in enumerate(base.answers)
    )
    scores = base.scores * 0 + 0.01
    for place, image in enumerate(images):
        scores[place, DISEASE_KEYS.index(image.truth if place % 20 else "wart")] = 0.9
    whole = StudyTables(images, scores, answers)
    verdict = report(whole, margin=0.05, endpoints=["bcc"], is_fixed=True)["datasets"]["asan"]["verdicts"][
        "unaided"
    ]
    assert (verdict["bcc"]["verdict"], verdict["bcc"]["claim"]) == ("shown", "superior")
    assert verdict["nevus"]["reasons"] == ["secondary"]
    assert report(whole, margin=0.05, endpoints=["bcc"])["datasets"]["asan"]["verdicts"]["unaided"]["bcc"][
        "reasons"
    ] == ["not_fixed"]
    broken = tuple(
        replace(one, answer="") if one.reader == "reader-00" and one.image < "photo-0060" else one
        for one in answers
    )
    found = report(replace(whole, answers=broken), margin=0.05, endpoints=["bcc"], is_fixed=True)
    verdict = found["datasets"]["asan"]["verdicts"]["unaided"]["bcc"]
    assert (verdict["verdict"], verdict["reasons"]) == ("open", [notes.MANY_MISSING])


def test_few_cases_are_said():
    tables = made_study(n=60, readers=3, datasets=("asan",))
    images = tuple(
        replace(image, truth="scc" if place < 3 else "nevus") for place, image in enumerate(tables.images)
    )
    found = report(replace(tables, images=images))["datasets"]["asan"]
    merits = found["compare"]["unaided_vs_aided"]["scc"]
    assert (merits["sensitivity"]["n_cases"], merits["sensitivity"]["too_few"]) == (3, True)
    assert (merits["specificity"]["n_cases"], merits["specificity"]["too_few"]) == (57, False)
    assert found["ai_vs_readers"]["unaided"]["scc"]["too_few"]
    assert found["sessions"]["unaided"]["readers"]["reader-00"]["points"]["scc"]["too_few"]


def test_scores_that_are_all_the_same_compare_nothing():
    tables = made_study(n=40, readers=3, datasets=("asan",))
    found = report(replace(tables, scores=tables.scores * 0 + 1 / 12))["datasets"]["asan"]
    bcc = found["diseases"]["bcc"]
    assert (bcc["auc"], bcc["auc_ci"], bcc["auc_note"]) == (0.5, None, notes.CONSTANT_SCORES)
    assert bcc["youden"] is None
    against = found["ai_vs_readers"]["unaided"]["bcc"]
    assert (against["p"], against["argmax"], against["note"]) == (None, None, notes.CONSTANT_SCORES)
    assert found["verdicts"]["unaided"]["bcc"]["reasons"] == [notes.CONSTANT_SCORES]
    assert found["mcnemar"]["unaided"]["reader-00"]["exact_p"] is None


def test_files_as_spreadsheets_make_them(tmp_path):
    """Semicolons or tabs with decimal commas, a first line that names them, columns in any case."""
    tables = made_study(n=20, readers=2, datasets=("asan",))
    for mark in ";\t":
        paths = write(tables, tmp_path)
        for path in paths.values():
            lines = path.read_text().splitlines()
            rows = [line.replace(",", mark).replace(".", ",") for line in lines[1:]]
            path.write_text("\n".join([f"sep={mark}", lines[0].replace(",", mark).title(), *rows]))
        read = read_tables(paths["images"], paths["scores"], paths["answers"])
        assert (read.scores == tables.scores).all() and read.answers == tables.answers
    paths["images"].write_text("image,Image,dataset,truth\n")
    with pytest.raises(FileRefused, match="twice: image"):
        read_tables(paths["images"], paths["scores"], paths["answers"])


def test_files_sorted_by_name_and_endpoints_nobody_was_asked_for(tmp_path):
    tables = made_study(n=20, readers=2, datasets=("asan",))
    answers = tuple(sorted(tables.answers, key=lambda one: one.session))
    paths = write(replace(tables, answers=answers), tmp_path)
    with paths["scores"].open("a") as file:
        file.write("other" + ",0.5" * 12 + "\n")
    read = read_tables(paths["images"], paths["scores"], paths["answers"])
    found = report(read, endpoints=["sessions_accuracy", "sessions_management"])
    assert found["sessions"] == ["unaided", "aided"]
    assert [str(note) for note in read.notes] == [
        "scores.csv: rows of scores for images that are not in the study are not used (rows: 1)",
        "answers.csv: “aided” stands before “unaided”; differences are “aided” − “unaided” all the same",
    ]
    assert texts(found)[-1].startswith(
        "The primary endpoint “Biopsy or not between sessions” is not evaluable"
    )
    assert "no scores of a model" in texts(report(replace(read, scores=None), endpoints=["bcc"]))[-1]


def test_a_comma_between_commas_stays_no_number(tmp_path):
    tables = made_study(n=20, readers=2, datasets=("asan",))
    paths = write(tables, tmp_path)
    text = paths["scores"].read_text().splitlines()
    cells = text[1].split(",")
    cells[1] = '"0,5"'
    paths["scores"].write_text("\n".join([text[0], ",".join(cells), *text[2:]]))
    with pytest.raises(TablesRefused, match="'0,5': is not a number: .* with a point"):
        read_tables(paths["images"], paths["scores"], paths["answers"])


def test_names_and_scores_that_look_like_a_mistake_are_named():
    tables = made_study(n=60, readers=1, sessions=("unaided",), datasets=("asan",))

    def said(odd: StudyTables) -> list[str]:
        return texts(report(odd))

    assert said(tables) == []
    answers = tuple(
        replace(one, reader=one.reader.upper()) if one.image > "photo-0030" else one for one in tables.answers
    )
    odd = said(replace(tables, answers=answers, scores=1 - tables.scores))
    assert odd[0].startswith("Readers “reader-00”, “READER-00” are taken as different")
    assert "below chance" in odd[-1]
    assert "are the same for every image" in said(replace(tables, scores=tables.scores * 0))[0]
    halves = tables.scores * np.where(np.arange(60) < 25, 100, 1)[:, None]
    assert said(replace(tables, scores=halves))[0].startswith(
        "The scores of 25 images look like percentages, those of 35 like shares from 0 to 1 (percentages: photo-0000"
    )
    columns = tables.scores * np.where(np.arange(12) == 11, 100, 1)
    assert said(replace(tables, scores=columns))[0].startswith("Only the scores of Wart go beyond 1 (up to ")
    # All in percent is one scale; and a score that is lowest where it should be highest has no threshold.
    assert said(replace(tables, scores=tables.scores * 100)) == []
    turned = tables.scores.copy()
    turned[:, 0] = [image.truth != "bcc" for image in tables.images]
    (one,) = said(replace(tables, scores=turned))
    assert one.startswith("asan: no threshold tells Basal cell carcinoma apart")
