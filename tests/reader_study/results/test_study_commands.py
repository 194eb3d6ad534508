"""study_report and mrmc as they are run: files and JSON out, messages and status 1 otherwise, no database."""

import csv
import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from scipy import stats

from reader_study import mrmc
from reader_study.management.commands.mrmc import _difference
from reader_study.services.results import report_files
from reader_study.statistics.report import report
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests.cases import each
from tests.reader_study import van_dyke
from tests.reader_study.made_study import made_study, write

ROOT = Path(__file__).resolve().parents[3]
TABLES = {"answers.csv", "readers.csv", "points.csv", "diseases.csv", "comparisons.csv"}


@pytest.fixture
def study(tmp_path):
    tables = made_study(missing=0.05)
    return tables, write(tables, tmp_path)


def run_report(paths, out, *more, figures: bool = False) -> str:
    said = StringIO()
    more = more if figures else (*more, "--no-figures")
    options = [part for name, path in paths.items() for part in (f"--{name}", str(path))]
    call_command("study_report", *options, "--out", str(out), *more, stdout=said)
    return said.getvalue()


def rows(path: Path) -> list[dict]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


# study_report


def test_the_report_is_that_of_the_tables(study, tmp_path):
    tables, paths = study
    out = tmp_path / "new" / "out"
    said = run_report(paths, out, "--ak", "malignant", "--margin", "0.05")
    assert json.loads((out / "report.json").read_text()) == report(tables, ak="malignant", margin=0.05)
    assert {path.name for path in out.iterdir()} >= TABLES | {"report.json"}
    assert "asan: 30 images" in said and "unaided: 4 readers" in said and str(out) in said
    assert not [path for path in out.parent.iterdir() if path.name.startswith(".")]


def test_a_mapping_says_what_the_files_own_words_mean(study, tmp_path):
    tables, paths = study
    for name in ("images", "answers"):
        paths[name].write_text(paths[name].read_text("utf-8-sig").replace("nevus", "Lesion type 7"))
    with pytest.raises(CommandError, match="Lesion type 7"):
        run_report(paths, tmp_path / "out")
    (tmp_path / "map.json").write_text(json.dumps({"labels": {"lesion TYPE 7": "nevus"}}))
    run_report(paths, tmp_path / "out", "--map", str(tmp_path / "map.json"), "--encoding", "euc-kr")
    found = json.loads((tmp_path / "out/report.json").read_text())
    (note,) = found.pop("read_as")
    assert note["params"]["word"] == "Lesion type 7" and found == {
        name: value for name, value in report(tables).items() if name != "read_as"
    }
    with pytest.raises(CommandError, match="--encoding: klingon: is none of utf-8-sig, cp949"):
        run_report(paths, tmp_path / "out", "--encoding", "klingon")
    (tmp_path / "map.json").write_text(json.dumps({"columns": {"label": "truth"}}))
    with pytest.raises(CommandError, match="only labels are used here, not columns"):
        run_report(paths, tmp_path / "out", "--map", str(tmp_path / "map.json"))


def test_the_structure_that_others_read(study, tmp_path):
    run_report(study[1], tmp_path / "out", "--margin", "0.1")
    found = json.loads((tmp_path / "out/report.json").read_text())["datasets"]["edinburgh"]
    assert set(found) >= {
        "n", "diseases", "top_k", "balanced_top1", "confusion", "sessions", "ai_vs_readers", "compare", "mcnemar",
    }  # fmt: skip
    bcc = found["diseases"]["bcc"]
    assert set(bcc) >= {
        "n_pos", "n_neg", "evaluable", "auc", "auc_ci", "auc_variance", "youden", "specificity_among_other_malignant",
        "specificity_among_other_benign", "n_other_malignant", "n_other_benign",
    }  # fmt: skip
    assert set(bcc["youden"]) >= {"threshold", "sensitivity", "specificity", "n_optima"}
    assert found["diseases"]["wart"]["evaluable"] is False
    assert set(found["top_k"]) == {"1", "2", "3", "5"}
    assert set(found["confusion"]) == {"rows", "columns", "counts"}
    assert "wart" not in found["confusion"]["rows"] and "wart" in found["confusion"]["columns"]
    session = found["sessions"]["unaided"]
    assert set(session) >= {"readers", "mean_accuracy", "sd_accuracy", "fleiss_kappa", "average", "groups"}
    reader = session["readers"]["reader-00"]
    assert set(reader) >= {"group", "accuracy", "kappa_vs_truth", "points"}
    assert set(reader["points"]["bcc"]) >= {"sensitivity", "specificity"}
    assert set(session["groups"]["professor"]) >= {"mean_accuracy", "sd_accuracy", "fleiss_kappa", "average"}
    assert set(session["average"]["bcc"]) >= {"sensitivity", "specificity"}
    test = found["ai_vs_readers"]["unaided"]["bcc"]
    assert set(test) >= {
        "figure_of_merit",
        "threshold",
        "ai",
        "readers_mean",
        "difference",
        "ci",
        "t",
        "df",
        "p",
    }
    test = found["compare"]["unaided_vs_aided"]["bcc"]["sensitivity"]
    assert set(test) >= {"difference", "ci", "f", "df1", "df2", "p"}
    test = found["mcnemar"]["unaided"]["reader-00"]
    assert set(test) >= {"ai_only", "reader_only", "exact_p", "corrected_p"}


def test_tables_say_the_same_in_words(study, tmp_path):
    tables, paths = study
    out = tmp_path / "out"
    run_report(paths, out, "--margin", "0.05")
    found = report(tables, margin=0.05)["datasets"]
    answers = rows(out / "answers.csv")
    assert len(answers) == len(tables.answers)
    for row, answer in zip(
        sorted(answers, key=lambda row: (row["session"], row["reader"], row["image"])),
        sorted(tables.answers, key=lambda one: (one.session, one.reader, one.image)),
        strict=True,
    ):
        assert (row["session"], row["reader"], row["image"]) == (answer.session, answer.reader, answer.image)
        assert row["answer_key"] == answer.answer
        expected = (
            "skipped" if not answer.answer else "right" if answer.answer == row["truth_key"] else "wrong"
        )
        assert row["result"] == expected
    assert {"Basal cell carcinoma", "Melanocytic nevus"} <= {row["truth"] for row in answers}
    readers = rows(out / "readers.csv")
    one = next(
        row
        for row in readers
        if (row["dataset"], row["session"], row["reader"]) == ("asan", "aided", "reader-02")
    )
    assert float(one["accuracy"]) == found["asan"]["sessions"]["aided"]["readers"]["reader-02"]["accuracy"]
    mean = next(row for row in readers if row["reader"] == "mean" and row["group"] == "all")
    assert float(mean["accuracy"]) == found["asan"]["sessions"]["unaided"]["mean_accuracy"]
    diseases = rows(out / "diseases.csv")
    assert len(diseases) == 24
    assert float(diseases[0]["auc"]) == found["asan"]["diseases"]["bcc"]["auc"]
    comparisons = rows(out / "comparisons.csv")
    # By dataset: 12 diseases in 2 sessions for all and 2 groups; 12 in one pair, twice; 4 readers in 2 sessions.
    wrong = [row for row in comparisons if row["missing_answers"] == "wrong"]
    plain = [row for row in wrong if not row["figure_of_merit"].endswith("first choice")]
    assert len(plain) == 2 * (12 * 2 * 3 + 12 * 2 + 4 * 2)
    assert len(comparisons) > 2 * len(plain), "and as read, and of the first choice"
    first = comparisons[0]
    assert float(first["difference"]) == found["asan"]["ai_vs_readers"]["unaided"]["bcc"]["difference"]
    assert (first["comparison"], first["non_inferiority_margin"]) == ("model vs readers", "0.05")
    assert len(rows(out / "points.csv")) == 2 * 2 * 12 * (4 + 3)


def test_every_figure_is_written_in_every_way(tmp_path):
    paths = write(
        made_study(n=24, readers=2, sessions=("unaided",), datasets=("asan",), missing=0.05), tmp_path
    )
    run_report(paths, tmp_path / "out", figures=True)
    endings: dict[str, set[str]] = {}
    starts = {".svg": b"<?xml", ".png": b"\x89PNG", ".pdf": b"%PDF", ".csv": "\ufeff".encode()}
    listed = (tmp_path / "out/index.html").read_text()
    for path in (tmp_path / "out/figures").glob("*/*"):
        assert f'href="figures/{path.parent.name}/{path.name}"' in listed
        endings.setdefault(path.stem, set()).add(path.suffix)
        assert path.read_bytes().startswith(starts[path.suffix])
    assert all(found == set(starts) for found in endings.values())
    shown = json.loads((tmp_path / "out/report.json").read_text())["datasets"]["asan"]["diseases"]
    for key in DISEASE_KEYS:
        assert (f"asan-{key}-unaided-roc" in endings) == shown[key]["evaluable"]


def test_formulas_are_defused(tmp_path):
    tables = made_study(n=24)
    paths = write(tables, tmp_path)
    text = paths["answers"].read_text().replace("reader-00", "'=HYPERLINK(1)")
    paths["answers"].write_text(text)
    run_report(paths, tmp_path / "out")
    assert rows(tmp_path / "out/readers.csv")[0]["reader"] == "'=HYPERLINK(1)"


def test_without_scores(study, tmp_path):
    paths = {name: path for name, path in study[1].items() if name != "scores"}
    assert "no model" in run_report(paths, tmp_path / "out")
    found = json.loads((tmp_path / "out/report.json").read_text())
    assert found["settings"]["has_model"] is False


def test_the_whole_test_set(study, tmp_path):
    paths = study[1]
    run_report(
        paths, tmp_path / "out", "--whole-images", str(paths["images"]), "--whole-scores", str(paths["scores"])
    )  # fmt: skip
    found = json.loads((tmp_path / "out/report.json").read_text())["datasets"]["asan"]["diseases"]["bcc"]
    assert found["whole"]["auc"] == found["auc"]


def test_an_earlier_report_is_replaced_and_other_files_are_kept(study, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    run_report(study[1], out)
    run_report(study[1], out, "--ak", "malignant")
    assert json.loads((out / "report.json").read_text())["settings"]["ak"] == "malignant"
    (out / "thesis.docx").write_text("mine")
    before = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}
    with pytest.raises(CommandError, match="holds other files .thesis.docx.*empty folder"):
        run_report(study[1], out)
    assert {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()} == before


def bad_answers(paths):
    paths["answers"].write_text(paths["answers"].read_text() + "aided,reader-00,professor,nothing,bcc,,,,\n")


def no_file(paths):
    paths["scores"] = paths["scores"].with_name("nothing.csv")


def a_folder(paths):
    paths["images"] = paths["images"].parent


@each(
    "spoil, more, message",
    [
        (bad_answers, (), r"answers.csv, row 482, image 'nothing': not among the images"),
        (no_file, (), r"nothing.csv cannot be read: No such file"),
        (a_folder, (), r"cannot be read: Is a directory"),
        (lambda paths: None, ("--margin", "7"), r"--margin 7 must be from 0 to 1"),
        (lambda paths: None, ("--margin", "nan"), r"--margin nan must be from 0 to 1"),
        (lambda paths: None, ("--whole-images", "x.csv"), r"go together"),
    ],
)
def test_nothing_is_written_when_something_is_wrong(study, tmp_path, spoil, more, message):
    paths = dict(study[1])
    spoil(paths)
    with pytest.raises(CommandError, match=message) as refused:
        run_report(paths, tmp_path / "deep" / "out", *more)
    assert refused.value.returncode == 1
    assert not (tmp_path / "deep").exists()


def test_out_may_not_be_a_file(study, tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(CommandError, match="is not a folder"):
        run_report(study[1], tmp_path / "out")
    with pytest.raises(CommandError, match="cannot be written"):
        run_report(study[1], tmp_path / "out" / "below")
    assert (tmp_path / "out").read_text() == "mine"


def test_a_failure_in_the_middle_leaves_nothing_half_written(tmp_path):
    def broken():
        yield "one.csv", b"1"
        raise OSError("No space left on device")

    out = tmp_path / "studies" / "out"
    with pytest.raises(OSError):
        report_files.write_folder(broken(), out)
    assert list(out.parent.iterdir()) == []
    report_files.write_folder([("one.csv", b"old")], out)
    with pytest.raises(OSError):
        report_files.write_folder(broken(), out)
    assert [path.name for path in out.parent.iterdir()] == ["out"]
    assert (out / "one.csv").read_bytes() == b"old"


# mrmc


def rating_file(path: Path, ratings, truth, tests, readers) -> Path:
    with path.open("w") as file:
        file.write("test,reader,case,truth,rating\n")
        for i, test in enumerate(tests):
            for j, reader in enumerate(readers):
                for k, rating in enumerate(ratings[i][j]):
                    file.write(f"{test},{reader},case {k},{int(truth[k])},{rating!r}\n")
    return path


def run_mrmc(path: Path, *more) -> dict:
    said = StringIO()
    call_command("mrmc", "--ratings", str(path), "--json", *more, stdout=said)
    return json.loads(said.getvalue())


@pytest.fixture
def van_dyke_file(tmp_path) -> Path:
    ratings, truth = van_dyke.ratings()
    return rating_file(tmp_path / "vd.csv", ratings.tolist(), truth, ("SE", "CINE"), "12345")


def test_two_tests(van_dyke_file):
    found = run_mrmc(van_dyke_file)
    assert list(found["tests"]) == ["SE", "CINE"]
    assert found["tests"]["SE"]["auc_mean"] == pytest.approx(0.8970370370, abs=5e-11)
    assert list(found["tests"]["CINE"]["readers"]) == list("12345")
    assert found["difference"] == found["tests"]["SE"]["auc_mean"] - found["tests"]["CINE"]["auc_mean"]
    assert found["rrrc"]["f"] == pytest.approx(4.456318693157, abs=5e-13)
    assert found["rrrc"]["p"] == pytest.approx(0.05166568582, abs=5e-12)
    assert set(found["rrrc"]) >= {"f", "df1", "df2", "p", "ci"} <= set(found["rrfc"])
    assert set(found["frrc"]) >= {"z", "p", "ci"}
    assert found["rrrc"]["ci"][0] < found["difference"] < found["rrrc"]["ci"][1]
    assert set(found["components"]) == {
        "ms_t", "ms_r", "ms_tr", "var", "cov1", "cov2", "cov3", "var_r", "var_tr",
    }  # fmt: skip
    delong = run_mrmc(van_dyke_file, "--method", "delong")
    assert (delong["method"], delong["difference"]) == ("delong", found["difference"])
    assert delong["rrrc"]["p"] != found["rrrc"]["p"]


def test_two_tests_in_words(van_dyke_file):
    said = StringIO()
    call_command("mrmc", "--ratings", str(van_dyke_file), stdout=said)
    text = said.getvalue()
    for part in (
        "SE - CINE: -0.0438",
        "F 4.45632, df 1 and 15.2597, p 0.0516657",
        "z -2.34008",
        "ms_tr: 0.000551031",
    ):
        assert part in text


def test_a_difference_of_zero_has_no_sign(tmp_path):
    ratings, truth = van_dyke.ratings()
    # The means of two AUCs of the same readers in another order may differ by rounding.
    same = [ratings[0].tolist(), ratings[0][::-1].tolist()]
    said = StringIO()
    call_command(
        "mrmc", "--ratings", str(rating_file(tmp_path / "same.csv", same, truth, "ab", "12345")), stdout=said
    )
    assert "a - b: 0.0000\n" in said.getvalue() and "-0.0000" not in said.getvalue()
    assert [_difference(value) for value in (-0.0, 0.0, -1e-17, -0.00004, 0.00006, -0.5)] == [
        "0.0000", "0.0000", "0.0000", "0.0000", "+0.0001", "-0.5000",
    ]  # fmt: skip


def test_more_than_two_tests(tmp_path):
    ratings, truth = van_dyke.ratings()
    three = np.concatenate([ratings, ratings.mean(0, keepdims=True)])
    path = rating_file(tmp_path / "three.csv", three.tolist(), truth, "abc", "12345")
    found = run_mrmc(path)
    assert "difference" not in found
    assert (found["rrrc"]["df1"], found["frrc"]["df"]) == (2, 2)
    assert [pair["tests"] for pair in found["pairs"]] == [["a", "b"], ["a", "c"], ["b", "c"]]
    assert found["pairs"][0]["difference"] == pytest.approx(-0.0438003221, abs=5e-11)
    expected = mrmc.compare(mrmc.auc(three, truth))
    assert found["rrrc"]["p"] == expected.rrrc.p
    said = StringIO()
    call_command("mrmc", "--ratings", str(path), stdout=said)
    assert "all tests" in said.getvalue() and "chi-squared" in said.getvalue()


def test_an_ai_against_readers(tmp_path):
    ratings, truth = van_dyke.ratings()
    path = rating_file(tmp_path / "ai.csv", ratings[:1].tolist(), truth, ["readers"], "12345")
    ai = rating_file(tmp_path / "one.csv", [[ratings[1, 0].tolist()]], truth, ["AI"], ["net"])
    path.write_text(path.read_text() + ai.read_text().split("\n", 1)[1])
    found = run_mrmc(path)
    expected = mrmc.ai_against_readers(mrmc.auc(ratings[1, 0], truth), mrmc.auc(ratings[0], truth))
    assert (found["ai"], found["readers_mean"]) == (expected.ai, expected.readers_mean)
    assert found["difference"] == pytest.approx(found["ai"] - found["readers_mean"])
    assert (found["t"], found["df"], found["p"]) == (expected.t, expected.df, expected.p)
    assert found["ci"] == [expected.low, expected.high]
    said = StringIO()
    call_command("mrmc", "--ratings", str(path), stdout=said)
    assert "AI - readers: +" in said.getvalue()


def test_an_ai_beside_two_tests_is_compared_with_each(tmp_path):
    ratings, truth = van_dyke.ratings()
    path = rating_file(tmp_path / "ai.csv", ratings.tolist(), truth, ("unaided", "aided"), "12345")
    ai = rating_file(tmp_path / "one.csv", [[ratings[1, 0].tolist()]], truth, ["AI"], ["net"])
    path.write_text(path.read_text() + ai.read_text().split("\n", 1)[1])
    found = run_mrmc(path, "--margin", "0.05")
    for place, test in enumerate(("unaided", "aided")):
        expected = mrmc.ai_against_readers(
            mrmc.auc(ratings[1, 0], truth), mrmc.auc(ratings[place], truth), margin=0.05
        )
        one = found["against"][test]
        assert (one["difference"], one["p"]) == (expected.difference, expected.p)
        assert one["non_inferiority"]["p"] == expected.non_inferiority.p
    assert found["between"]["rrrc"]["f"] == pytest.approx(4.456318693157, abs=5e-13)
    said = StringIO()
    call_command("mrmc", "--ratings", str(path), stdout=said)
    assert "AI against the readers of aided" in said.getvalue() and "unaided - aided" in said.getvalue()


def test_a_margin_of_two_tests(van_dyke_file, tmp_path):
    found = run_mrmc(van_dyke_file, "--margin", "0.1")
    assert run_mrmc(van_dyke_file)["non_inferiority"] is None
    ratings, truth = van_dyke.ratings()
    rrrc = mrmc.compare(mrmc.auc(ratings, truth)).pairs[0].rrrc
    se = (rrrc.high - rrrc.low) / 2 / stats.t.ppf(0.975, rrrc.df2)
    t = (found["difference"] + 0.1) / se
    assert found["non_inferiority"]["t"] == pytest.approx(t)
    assert found["non_inferiority"]["p"] == pytest.approx(stats.t.sf(t, rrrc.df2))
    said = StringIO()
    call_command("mrmc", "--ratings", str(van_dyke_file), "--margin", "0.1", stdout=said)
    assert "non-inferiority with margin 0.1" in said.getvalue()
    with pytest.raises(CommandError, match="from 0 to 1"):
        run_mrmc(van_dyke_file, "--margin", "2")


def test_no_interval_leaves_what_an_auc_can_be(tmp_path):
    """Two readers and few cases: t with one degree of freedom."""
    truth = [1] * 5 + [0] * 7
    right = [float(one) for one in truth]
    worse = [0.0, 0.0, *right[2:]]
    path = rating_file(tmp_path / "small.csv", [[right, right], [worse, right]], truth, "AB", ["r1", "r2"])
    found = run_mrmc(path)
    assert found["tests"]["B"]["ci"] == [0, 1] and found["rrrc"]["ci"] == [-1, 1] == found["rrfc"]["ci"]
    perfect = found["tests"]["A"]
    assert perfect["ci"] is None and perfect["note"] == "no_variance"
    said = StringIO()
    call_command("mrmc", "--ratings", str(path), stdout=said)
    assert "A: 1.0000 [no variance: no interval]" in said.getvalue()


def test_one_test_and_one_reader_still_have_what_they_have(tmp_path):
    ratings, truth = van_dyke.ratings()
    found = run_mrmc(rating_file(tmp_path / "a.csv", ratings[:1].tolist(), truth, "a", "12345"))
    assert found["tests"]["a"]["ci"][0] < found["tests"]["a"]["auc_mean"]
    assert "rrrc" not in found and found["components"]["cov1"] is None
    found = run_mrmc(rating_file(tmp_path / "b.csv", ratings[:, :1].tolist(), truth, "ab", "1"))
    assert (found["rrrc"]["p"], found["rrrc"]["note"]) == (None, "one_reader")
    assert 0 < found["frrc"]["p"] < 1
    for name in ("a.csv", "b.csv"):
        call_command("mrmc", "--ratings", str(tmp_path / name), stdout=StringIO())


def test_gaps_are_named_and_files_of_imrmc_read_and_written(van_dyke_file, tmp_path):
    text = van_dyke_file.read_text().splitlines()
    van_dyke_file.write_text("\n".join(text[:-1]))
    said, other = StringIO(), tmp_path / "same.imrmc"
    call_command("mrmc", "--ratings", str(van_dyke_file), "--margin", "0.1", "--out", str(other), stdout=said)
    for part in (
        "design: crossed, with few gaps",
        "1 of 1140 ratings of a crossed design are missing",
        "missing: test CINE, reader 5, case case 113",
        "U-statistics (iMRMC)",
        "SE - CINE: -0.04",
    ):
        assert part in said.getvalue()
    found = run_mrmc(van_dyke_file)
    assert run_mrmc(other)["rrrc"]["p"] == pytest.approx(found["rrrc"]["p"])
    assert found["u_statistics"]["pairs"][0]["ci"][0] < found["difference"]
    call_command("mrmc", "--ratings", str(other), "--out", str(tmp_path / "same.csv"), stdout=StringIO())
    assert run_mrmc(tmp_path / "same.csv")["u_statistics"] == run_mrmc(other)["u_statistics"]
    with pytest.raises(CommandError, match="must end in .imrmc or .csv") as refused:
        run_mrmc(other, "--out", str(tmp_path / "x.txt"))
    assert refused.value.returncode == 1
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        run_mrmc(tmp_path / "nothing.csv")


# Without a database


def test_no_database_is_touched(study, van_dyke_file, tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("the database was asked for")

    monkeypatch.setattr(connection, "connect", refuse)
    monkeypatch.setattr(connection, "cursor", refuse)
    run_report(study[1], tmp_path / "out")
    run_mrmc(van_dyke_file)


def test_both_run_as_programs_where_there_is_no_database(study, van_dyke_file, tmp_path):
    home = tmp_path / "empty home"
    environment = {**os.environ, "SKINCLINIC_HOME": str(home)}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    start = [sys.executable, str(ROOT / "manage.py")]
    options = [part for name, path in study[1].items() for part in (f"--{name}", str(path))]
    done = subprocess.run(
        [*start, "study_report", *options, "--out", str(tmp_path / "out"), "--no-figures"],
        env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert list(json.loads((tmp_path / "out/report.json").read_text())["datasets"]) == ["asan", "edinburgh"]
    done = subprocess.run(
        [*start, "mrmc", "--ratings", str(van_dyke_file), "--json"],
        env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert json.loads(done.stdout)["difference"] < 0
    broken = subprocess.run(
        [*start, "mrmc", "--ratings", str(study[1]["images"])],
        env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert broken.returncode == 1 and broken.stdout == ""
    assert broken.stderr.startswith("CommandError: images.csv: These columns are missing: test, reader")
    assert not list(home.rglob("*.sqlite3"))


def test_diseases_keep_their_order(study, tmp_path):
    run_report(study[1], tmp_path / "out")
    for dataset in json.loads((tmp_path / "out/report.json").read_text())["datasets"].values():
        assert tuple(dataset["diseases"]) == DISEASE_KEYS
