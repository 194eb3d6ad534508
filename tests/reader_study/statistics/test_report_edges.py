"""Studies in which something is missing, single, perfect or all the same: a note, never NaN, never a crash."""

import json
import pickle
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from classifier.metrics import notes
from classifier.metrics.mcnemar import corrected_p, exact_p
from classifier.metrics.plain import plain
from reader_study.plots import StudyFigures, curves
from reader_study.statistics.agreement import cohen, fleiss, pairwise
from reader_study.statistics.comparison import holm
from reader_study.statistics.report import report
from reader_study.statistics.tables import Answer, StudyTables, WholeSet
from reader_study.statistics.tidy import tidy
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests.cases import each
from tests.reader_study.made_study import made_study

NOTES = {value for name, value in vars(notes).items() if name.isupper()} | {""}


def with_answers(tables: StudyTables, change) -> StudyTables:
    """The study with ``change(answer)`` for each answer; None removes it."""
    changed = (change(answer) for answer in tables.answers)
    return replace(tables, answers=tuple(answer for answer in changed if answer is not None))


def truth_of(tables: StudyTables) -> dict[str, str]:
    return {image.name: image.truth for image in tables.images}


def only_one_positive(tables: StudyTables) -> StudyTables:
    images = tuple(
        replace(image, truth="mm" if place == 0 else "nevus") for place, image in enumerate(tables.images)
    )
    return replace(tables, images=images)


def perfect_scores(tables: StudyTables) -> StudyTables:
    scores = np.zeros((len(tables.images), 12))
    for place, image in enumerate(tables.images):
        scores[place, DISEASE_KEYS.index(image.truth)] = 1
    return replace(tables, scores=scores)


def subset(tables: StudyTables) -> StudyTables:
    choices = ("bcc", "nevus", "sk")
    changed = with_answers(
        tables, lambda one: replace(one, answer=one.answer if one.answer in choices else choices[0])
    )
    return replace(changed, choices=choices)


BASE = made_study(n=48, readers=3)
TRUTH = truth_of(BASE)
STUDIES = {
    "one reader": made_study(readers=1),
    "one session": made_study(sessions=("unaided",)),
    "three sessions": made_study(sessions=("a", "b", "c")),
    "two readers, one a group": made_study(readers=2),
    "one image": made_study(n=1, datasets=("asan",), readers=2),
    "two images": made_study(n=2, readers=2),
    "missing answers": made_study(missing=0.3),
    "no model": replace(BASE, scores=None),
    "no answers at all": replace(BASE, answers=()),
    "all answers missing": with_answers(BASE, lambda one: replace(one, answer="")),
    "all readers alike": with_answers(
        BASE, lambda one: replace(one, answer=TRUTH[one.image] if one.image[-1] < "5" else "sk")
    ),
    "all readers right": with_answers(BASE, lambda one: replace(one, answer=TRUTH[one.image])),
    "all readers always say one thing": with_answers(BASE, lambda one: replace(one, answer="wart")),
    "perfect model": perfect_scores(BASE),
    "perfect model and readers": with_answers(perfect_scores(BASE), lambda one: replace(one, answer=TRUTH[one.image])),
    "scores all the same": replace(BASE, scores=np.full((48, 12), 0.5)),
    "scores that are no probabilities": replace(BASE, scores=np.asarray(BASE.scores) * 40 - 3),
    "one positive of one disease": only_one_positive(BASE),
    "a reader who answered nothing": with_answers(
        BASE, lambda one: replace(one, answer="") if one.reader == "reader-01" else one
    ),
    "a reader who broke off": with_answers(
        BASE, lambda one: None if one.reader == "reader-01" and one.image > "photo-0005" else one
    ),
    "a reader of one session": with_answers(
        BASE, lambda one: None if one.reader == "reader-01" and one.session == "aided" else one
    ),
    "readers of one dataset": with_answers(BASE, lambda one: one if one.image < "photo-0024" else None),
    "images nobody answered": with_answers(BASE, lambda one: None if one.image < "photo-0006" else one),
    "no reader in both sessions": with_answers(
        BASE, lambda one: one if (one.session == "aided") == (one.reader == "reader-01") else None
    ),
    "a subset of the choices": subset(BASE),
    "no groups": with_answers(BASE, lambda one: replace(one, group="")),
    "odd names": with_answers(
        BASE, lambda one: replace(one, reader=f"판독 {one.reader}", session=f"=1 {one.session}", group='"')
    ),
    "everything asked": with_answers(
        BASE, lambda one: replace(one, second="mm", confidence=70.0, seconds=4.5, first_answer="bcc")
    ),
}  # fmt: skip


@cache
def _report_of(name: str, options: tuple) -> bytes:
    return pickle.dumps(report(STUDIES[name], **dict(options)))


def report_of(name: str, **options) -> dict:
    """The report of one of the studies above, computed once."""
    return pickle.loads(_report_of(name, tuple(sorted(options.items()))))


def leaves(value, path=()):
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from leaves(item, (*path, place))
    else:
        yield path, value


@each("ak, margin", [("benign", None), ("malignant", 0.05)])
@each("name", STUDIES)
def test_every_figure_is_a_number_or_null_with_a_known_note(name, ak, margin):
    tables = STUDIES[name]
    # As it is without being asked for, other tests want it, too.
    asked = {} if (ak, margin) == ("benign", None) else {"ak": ak, "margin": margin}
    found = report_of(name, **asked)
    # Infinite thresholds are "inf"; NaN and infinity themselves are refused here.
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    for path, value in leaves(found):
        if str(path[-1]).endswith("note"):
            assert value in NOTES, path
        if str(path[-1]) in (
            "p",
            "exact_p",
            "corrected_p",
            "p_holm",
            "accuracy",
            "sensitivity",
            "specificity",
        ):
            assert value is None or 0 <= value <= 1, path
        if str(path[-1]) in ("sd", "sd_accuracy", "se"):
            assert value is None or value >= 0, path
    for _table, columns, rows in tidy(found, tables):
        assert all(len(row) == len(columns) for row in rows)


@each("name", STUDIES)
def test_a_missing_figure_says_why(name):
    found = report_of(name)
    for dataset in found["datasets"].values():
        for one in dataset["diseases"].values():
            assert one["evaluable"] == (one["auc"] is not None) == (not one["note"])
            assert (one["auc_ci"] is not None) or one["note"] or one["auc_note"]
        for tests in dataset["ai_vs_readers"].values():
            for one in tests.values():
                assert (one["p"] is None) <= bool(one["note"])
        for tests in dataset["compare"].values():
            for one in tests.values():
                for merit in one.values():
                    assert (merit["p"] is None) <= bool(merit["note"])
        for session in dataset["sessions"].values():
            assert (session["fleiss_kappa"] is None) <= bool(session["note"])
            for reader in session["readers"].values():
                assert (reader["kappa_vs_truth"] is None) <= bool(reader["note"])


def asan(name: str, **options) -> dict:
    return report_of(name, **options)["datasets"]["asan"]


def test_a_reader_who_answered_nothing_counts_for_nothing():
    found = asan("a reader who answered nothing")["sessions"]["unaided"]
    silent = found["readers"]["reader-01"]
    assert (silent["answered"], silent["accuracy"], silent["note"]) == (0, None, notes.NO_ANSWERS)
    assert silent["points"]["bcc"]["specificity"] is None
    assert found["n_readers"] == 2
    others = [found["readers"][f"reader-0{reader}"]["accuracy"] for reader in (0, 2)]
    assert found["mean_accuracy"] == pytest.approx(np.mean(others))
    assert asan("a reader who answered nothing")["mcnemar"]["unaided"]["reader-01"]["exact_p"] is None


def skipping(tables: StudyTables, name: str, session: str, after: str) -> StudyTables:
    """The study in which one reader skipped everything after an image."""
    return with_answers(
        tables,
        lambda one: (
            replace(one, answer="")
            if (one.reader, one.session) == (name, session) and one.image > after
            else one
        ),
    )


def test_missing_answers_are_wrong_and_the_alternative_stands_beside():
    whole = asan("one session")["sessions"]
    assert whole["unaided"]["readers"]["reader-01"]["missing"] == 0
    tables = skipping(BASE, "reader-01", "unaided", "photo-0005")
    broken = report(tables)["datasets"]["asan"]["sessions"]["unaided"]
    reader = broken["readers"]["reader-01"]
    assert (reader["n"], reader["answered"], reader["missing"], reader["skipped"]) == (24, 6, 18, 18)
    assert (reader["not_reached"], reader["never_shown"]) == (0, 0)
    assert reader["accuracy"] == reader["right"] / 24
    assert reader["answered_only"]["accuracy"] == reader["right"] / 6
    assert broken["fleiss_answered_only"]["images"] == 6
    assert broken["n_readers"] == 3
    others = [broken["readers"][f"reader-0{other}"]["accuracy"] for other in (0, 2)]
    assert broken["as_read"]["mean_accuracy"] == pytest.approx(np.mean([*others, reader["right"] / 6]))


def test_what_a_reader_was_never_shown_is_not_missing():
    reader = asan("a reader who broke off")["sessions"]["unaided"]["readers"]["reader-01"]
    assert (reader["n"], reader["answered"], reader["missing"], reader["never_shown"]) == (6, 6, 0, 18)
    assert reader["accuracy"] == reader["answered_only"]["accuracy"] == reader["right"] / 6


def test_readers_of_both_sessions_are_compared():
    found = asan("a reader of one session")
    assert found["compare"]["unaided_vs_aided"]["bcc"]["sensitivity"]["n_readers"] == 2
    assert list(found["changes"]["unaided_vs_aided"]["readers"]) == ["reader-00", "reader-02"]
    nobody = asan("no reader in both sessions")["compare"]["unaided_vs_aided"]["bcc"]["sensitivity"]
    # Each session has readers of its own, and one of them a single one, which says nothing of others.
    assert nobody["pattern"] == "readers_in_tests" and nobody["difference"] is not None
    assert (nobody["n_readers"], nobody["p"], nobody["note"]) == (3, None, notes.ONE_READER)


def test_a_dataset_that_a_reader_never_came_to_is_all_wrong():
    """Whoever answered anything in the session counts in every dataset they were given."""
    whole = report(BASE)["datasets"]["edinburgh"]["sessions"]
    tables = with_answers(
        BASE,
        lambda one: (
            replace(one, answer="", reached=False)
            if one.reader == "reader-01" and one.image > "photo-0005"
            else one
        ),
    )
    broken = report(tables)["datasets"]["edinburgh"]
    session = broken["sessions"]["unaided"]
    reader = session["readers"]["reader-01"]
    assert (reader["answered"], reader["missing"], reader["right"], reader["accuracy"]) == (0, 24, 0, 0)
    assert (reader["skipped"], reader["not_reached"]) == (0, 24)
    assert reader["note"] == notes.NO_ANSWERS and reader["answered_only"]["accuracy"] is None
    assert reader["points"]["bcc"]["sensitivity"] == 0 and reader["points"]["bcc"]["specificity"] == 1
    assert session["n_readers"] == session["average"]["bcc"]["readers"] == 3
    others = sum(whole["unaided"]["readers"][f"reader-0{other}"]["accuracy"] for other in (0, 2))
    assert session["mean_accuracy"] == pytest.approx(others / 3)
    assert session["as_read"]["mean_accuracy"] == pytest.approx(others / 2)
    against = broken["ai_vs_readers"]["unaided"]["bcc"]
    assert (against["n_readers"], against["as_read"]["n_readers"]) == (3, 2)
    assert broken["compare"]["unaided_vs_aided"]["bcc"]["sensitivity"]["n_readers"] == 3
    test = broken["mcnemar"]["unaided"]["reader-01"]
    assert (test["both"], test["reader_only"]) == (0, 0) and test["exact_p"] < 1
    assert test["as_read"]["ai_only"] == 0


def test_a_dataset_that_a_reader_was_never_shown_says_nothing_of_the_reader():
    broken = report_of("a reader who broke off")["datasets"]["edinburgh"]
    session = broken["sessions"]["unaided"]
    assert session["n_readers"] == broken["ai_vs_readers"]["unaided"]["bcc"]["n_readers"] == 2
    reader = session["readers"]["reader-01"]
    assert (reader["accuracy"], reader["never_shown"], reader["note"]) == (None, 24, notes.NO_ANSWERS)
    everyone = report_of("readers of one dataset")["datasets"]["edinburgh"]["sessions"]["unaided"]
    assert (everyone["n_readers"], everyone["mean_accuracy"]) == (0, None)


def test_a_reader_of_the_other_session_is_listed_and_counts_for_nothing():
    for dataset in report_of("a reader of one session")["datasets"].values():
        session = dataset["sessions"]["aided"]
        silent = session["readers"]["reader-01"]
        assert (silent["answered"], silent["accuracy"], silent["note"]) == (0, None, notes.NO_ANSWERS)
        others = [session["readers"][f"reader-0{reader}"]["accuracy"] for reader in (0, 2)]
        assert session["n_readers"] == 2 and session["mean_accuracy"] == pytest.approx(np.mean(others))
        assert dataset["mcnemar"]["aided"]["reader-01"]["note"] == notes.NO_ANSWERS
    rows = dict(
        (name, rows) for name, _columns, rows in tidy(report(BASE), STUDIES["a reader of one session"])
    )
    took_part = {(row[0], row[1]) for row in rows["answers"]}
    assert ("unaided", "reader-01") in took_part and ("aided", "reader-01") not in took_part


def test_every_figure_shows_something_or_says_why_not():
    alone = {name: replace(tables, scores=None) for name, tables in STUDIES.items()}
    for name in (
        "no answers at all", "all answers missing", "a reader of one session", "readers of one dataset",
        "a subset of the choices",
    ):  # fmt: skip
        in_one_group = with_answers(alone[name], lambda one: replace(one, group=""))
        for tables in (STUDIES[name], alone[name], in_one_group):
            told = report_of(name) if tables is STUDIES[name] else report(tables)
            found = StudyFigures(told, plain(curves(tables)))
            for folder, make in found._makers():
                figure = make()
                # Many diseases in one figure: nothing in it is pointed at.
                points = figure.rows if folder == "panels" else [one.points for one in figure.series]
                shown = any(points)
                assert bool(figure.drawing) == shown and (shown or figure.note), (name, figure.name)
            for dataset, one in found.report["datasets"].items():
                for session in one["sessions"]:
                    for key in DISEASE_KEYS:
                        small, large = (found.roc(dataset, session, key, small=one) for one in (True, False))
                        assert bool(small.drawing) == bool(large.drawing), (name, key)
    subset = StudyFigures(
        report(alone["a subset of the choices"]), plain(curves(alone["a subset of the choices"]))
    )
    assert subset.roc("asan", "unaided", "mm").note == "not among the choices"
    silent = StudyFigures(report(alone["all answers missing"]), plain(curves(alone["all answers missing"])))
    assert silent.roc("asan", "unaided", "bcc").note == "not evaluable: no answers"


def test_answers_that_took_no_time_have_a_figure():
    tables = with_answers(BASE, lambda one: replace(one, seconds=0.0))
    figure = StudyFigures(report(tables), plain(curves(tables))).time("asan", "unaided")
    assert figure.drawing and [row[3] for row in figure.rows] == [0, 0, 0]


def test_without_a_model_the_readers_remain():
    found = asan("no model")
    assert found["diseases"]["bcc"]["note"] == notes.NO_SCORES
    assert found["diseases"]["bcc"]["n_pos"] > 0
    assert found["top_k"] == {"1": None, "2": None, "3": None, "5": None}
    assert found["sessions"]["unaided"]["mean_accuracy"] > 0
    assert found["compare"]["unaided_vs_aided"]["bcc"]["specificity"]["p"] is not None
    assert found["sessions"]["unaided"]["most_missed"][0]["model"] is None


def test_all_sessions_are_compared_in_pairs():
    assert list(asan("three sessions")["compare"]) == ["a_vs_b", "a_vs_c", "b_vs_c"]


def test_choices_that_were_not_offered_have_no_point():
    found = asan("a subset of the choices")
    session = found["sessions"]["unaided"]
    assert list(session["readers"]["reader-00"]["points"]) == ["bcc", "sk", "nevus"]
    assert session["confusion"]["columns"] == ["bcc", "sk", "nevus", "missing"]
    assert found["ai_vs_readers"]["unaided"]["mm"]["note"] == notes.NOT_A_CHOICE
    assert found["diseases"]["mm"]["evaluable"]
    # The model answers the same question.
    confusion = found["confusion"]
    chosen = [sum(row[column] for row in confusion["counts"]) for column in range(12)]
    assert sum(chosen) == found["n"]
    assert sum(chosen[DISEASE_KEYS.index(key)] for key in ("bcc", "sk", "nevus")) == found["n"]


def test_where_actinic_keratosis_goes_changes_its_group_and_the_alternative_stands_beside():
    benign, malignant = asan("one session"), asan("one session", ak="malignant")
    for key in DISEASE_KEYS:
        one, other = benign["diseases"][key], malignant["diseases"][key]
        if not one["evaluable"]:
            continue
        for name in ("specificity_among_other_malignant", "specificity_among_other_benign", "n_other_benign"):
            assert one["ak_alternative"][name] == other[name]
            assert other["ak_alternative"][name] == one[name]
        moved = one["n_other_benign"] - other["n_other_benign"]
        assert moved == (0 if key == "ak" else benign["diseases"]["ak"]["n_pos"])


def test_the_whole_test_set_gives_a_second_curve():
    tables = STUDIES["one session"]
    whole = WholeSet(
        np.concatenate([tables.scores, np.asarray(tables.scores)[::-1]]),
        tuple(image.truth for image in (*tables.images, *tables.images)),
        tuple(image.dataset for image in (*tables.images, *tables.images)),
    )
    found = report(replace(tables, whole=whole))["datasets"]["asan"]["diseases"]["bcc"]
    plain = report(tables)["datasets"]["asan"]["diseases"]["bcc"]
    assert plain["whole"] is None
    assert found["auc"] == plain["auc"]
    assert found["whole"]["n_pos"] == 2 * plain["n_pos"]
    assert 0 <= found["whole"]["auc"] < found["auc"]
    assert found["whole"]["youden"]["n_optima"] >= 1


def test_relabelled_readers_and_shuffled_rows_change_no_figure():
    tables = made_study(n=40, readers=4, datasets=("asan",), missing=0.1)
    rng = np.random.default_rng(3)
    new = dict(zip((f"reader-{place:02d}" for place in range(4)), "dbca", strict=True))
    answers = [replace(answer, reader=new[answer.reader]) for answer in tables.answers]
    # Sessions stay in their order, which gives the sign.
    shuffled = sorted(
        (answers[place] for place in rng.permutation(len(answers))), key=lambda one: one.session != "unaided"
    )
    places = rng.permutation(len(tables.images))
    other = replace(
        tables,
        images=tuple(tables.images[place] for place in places),
        scores=np.asarray(tables.scores)[places],
        answers=tuple(shuffled),
    )
    one, two = (report(study)["datasets"]["asan"] for study in (tables, other))
    for session in ("unaided", "aided"):
        a, b = one["sessions"][session], two["sessions"][session]
        assert b["readers"]["d"]["accuracy"] == a["readers"]["reader-00"]["accuracy"]
        for name in ("mean_accuracy", "sd_accuracy", "fleiss_kappa"):
            assert a[name] == pytest.approx(b[name], rel=1e-12)
        for key in ("bcc", "nevus"):
            x, y = (found["ai_vs_readers"][session][key] for found in (one, two))
            assert [x["difference"], x["p"]] == pytest.approx([y["difference"], y["p"]], rel=1e-9)
    x, y = (found["compare"]["unaided_vs_aided"]["bcc"]["specificity"] for found in (one, two))
    assert [x["difference"], x["f"], x["df2"], x["p"]] == pytest.approx(
        [y["difference"], y["f"], y["df2"], y["p"]], rel=1e-9
    )


def test_sessions_in_the_other_order_turn_the_sign():
    tables = STUDIES["a reader of one session"]
    turned = replace(tables, answers=tuple(sorted(tables.answers, key=lambda one: one.session)))
    one = report(tables)["datasets"]["asan"]["compare"]["unaided_vs_aided"]
    other = report(turned)["datasets"]["asan"]["compare"]["aided_vs_unaided"]
    for key in ("bcc", "nevus"):
        for merit in ("sensitivity", "specificity"):
            a, b = one[key][merit], other[key][merit]
            assert a["difference"] == -b["difference"]
            assert a["p"] == (b["p"] if b["p"] is None else pytest.approx(b["p"], rel=1e-9))


def test_tables_can_be_in_korean():
    found = report(BASE)
    words = {name: rows for name, _columns, rows in tidy(found, BASE, "ko")}
    assert {row[2] for row in words["diseases"]} >= {"기저세포암종", "사마귀"}
    assert list(words) == [
        "answers",
        "readers",
        "points",
        "diseases",
        "comparisons",
        "questions",
        "matched",
        "design",
    ]


def test_only_the_endpoints_are_a_family():
    found = report(made_study(n=200, readers=5), endpoints=("mm", "bcc"))
    assert found["settings"]["holm_family"] == ["bcc", "mm"]
    tests = found["datasets"]["asan"]["ai_vs_readers"]["unaided"]
    first, second = sorted((tests["bcc"], tests["mm"]), key=lambda one: one["p"])
    assert first["p_holm"] == pytest.approx(min(1, 2 * first["p"]))
    assert second["p_holm"] == pytest.approx(max(first["p_holm"], second["p"]))
    assert tests["nevus"]["p"] is not None and tests["nevus"]["p_holm"] is None


def test_wishes_that_make_no_sense_are_refused():
    for options in ({"ak": "own"}, {"margin": 1.5}, {"margin": -0.1}):
        with pytest.raises(ValueError):
            report(BASE, **options)


def answer(**values) -> Answer:
    return replace(BASE.answers[0], **values)


@each(
    "change, message",
    [
        ({"answers": (answer(image="unknown"),)}, "not among the images"),
        ({"answers": (answer(answer="eczema"),)}, "not one of the choices"),
        ({"answers": (answer(second="eczema"),)}, "not one of the choices"),
        ({"answers": (answer(answer="mm"),), "choices": ("bcc", "nevus")}, "not one of the choices"),
        ({"answers": (answer(), answer(answer="mm"))}, "in a row above"),
        ({"answers": (answer(group="professor"), answer(session="aided", group="clinician"))}, "is in group"),
        ({"images": BASE.images[:-1]}, "48 rows of scores for 47 images"),
        ({"images": (*BASE.images[:-1], BASE.images[0])}, "twice"),
        (
            {"images": (*BASE.images[:-1], replace(BASE.images[-1], truth="eczema"))},
            "no disease keys: eczema",
        ),
        ({"choices": ("eczema",)}, "no disease keys: eczema"),
        ({"scores": np.full((48, 12), np.nan)}, "finite"),
        ({"scores": np.zeros((48, 11))}, "12 columns"),
    ],
)
def test_tables_that_do_not_fit_together_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(BASE, **change)


# Small statistics


def test_fleiss_of_a_published_example():
    """Fourteen raters, ten subjects, five categories; kappa 0.210."""
    counts = [
        (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1), (7, 7, 0, 0, 0),
        (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
    ]  # fmt: skip
    answers = np.array([np.repeat(np.arange(5), row) for row in counts]).T
    assert fleiss(answers) == pytest.approx(0.20993, abs=5e-6)


def test_kappas_at_their_ends():
    assert cohen([0, 1, 0, 1], [0, 1, 0, 1]) == 1
    assert cohen([0, 1, 0, 1], [1, 0, 1, 0]) == -1
    assert cohen([0, 0, 1, 1], [0, 1, 0, 1]) == 0
    assert cohen([2, 2], [2, 2]) is None
    assert cohen([], []) is None
    assert fleiss([[0, 1, 2], [0, 1, 2]]) == 1
    assert fleiss([[0, 1, 2]]) is None
    assert fleiss(np.zeros((3, 0))) is None
    assert fleiss(np.ones((3, 5))) is None
    assert pairwise([[0, 1], [0, 1], [1, 0]]) == [[1, 1, -1], [1, 1, -1], [-1, -1, 1]]


def test_mcnemar_at_its_ends():
    assert (exact_p(0, 0), corrected_p(0, 0)) == (1, None)
    assert (exact_p(5, 0), exact_p(0, 5)) == (2 / 32, 2 / 32)
    assert corrected_p(4, 4) == corrected_p(4, 5) == 1


def test_holm_follows_the_steps():
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": None, "e": 0.6}) == {
        "a": pytest.approx(0.04), "b": pytest.approx(0.09), "c": pytest.approx(0.09), "d": None, "e": 0.6,
    }  # fmt: skip
    assert holm({}) == {}
