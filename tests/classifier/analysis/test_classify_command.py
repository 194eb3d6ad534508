"""`manage.py classify` as programs use it."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from classifier.analysing import photo_files
from classifier.analysing.pipeline import NonFiniteScores, analyse
from classifier.networks import weights
from classifier.plots.colormaps import heatmap_rgb
from classifier.runtimes import open_runtime
from skinclinic import imaging
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests import photo_bytes
from tests.classifier import lively
from tests.factories import jpeg_bytes

ROOT = Path(__file__).parents[3]


@pytest.fixture
def model(settings, lite_dir):
    """The model "lively" among the clinic's models; thresholds "balanced" 0.1."""
    settings.MODELS_DIR.mkdir()
    (settings.MODELS_DIR / "lively").symlink_to(lite_dir)
    return lite_dir


@pytest.fixture
def photos(tmp_path):
    """A folder with photos on two levels and other things between them."""
    folder = tmp_path / "photos"
    (folder / "b").mkdir(parents=True)
    (folder / "c.JPG").write_bytes(jpeg_bytes(1))
    (folder / "b" / "a.jpeg").write_bytes(jpeg_bytes(2))
    (folder / "a.png").write_bytes(b"no photo at all")
    (folder / "notes.txt").write_text("no photo, and not called one")
    (folder / "._c.JPG").write_bytes(b"what a file manager left")
    return folder


def run(*arguments, model="lively") -> tuple[str, int]:
    """Return (stdout, exit status)."""
    out = io.StringIO()
    try:
        call_command("classify", *map(str, arguments), *(["--model", model] if model else []), stdout=out)
    except SystemExit as stop:
        return out.getvalue(), stop.code
    return out.getvalue(), 0


def entries(*arguments) -> list[dict]:
    return json.loads(run(*arguments, "--json")[0])


def test_a_folder_gives_its_photos_sorted_from_all_levels(model, photos):
    found = entries(photos)
    assert [entry["path"] for entry in found] == [
        str(photos / name) for name in ("a.png", "b/a.jpeg", "c.JPG")
    ]
    assert [entry["error"] is None for entry in found] == [False, True, True]


def test_in_a_folder_content_counts_and_what_is_passed_over_is_named(model, photos, capsys):
    """On standard error, so that the list stays one of photos."""
    picture = photo_bytes.lesion()
    (photos / "d.TIF").write_bytes(photo_bytes.encoded(picture, "TIFF"))
    (photos / "e.avif").write_bytes(photo_bytes.encoded(picture, "AVIF"))
    (photos / "f").write_bytes(jpeg_bytes(3))
    (photos / "g.dcm").write_bytes(bytes(128) + b"DICM" + bytes(100))
    os.mkfifo(photos / "pipe")
    passed_over = photo_files.PassedOver()
    found = photo_files.find([str(photos)], passed_over)
    assert [Path(item.path).name for item in found] == ["a.png", "a.jpeg", "c.JPG", "d.TIF", "e.avif", "f"]
    assert {kind: [Path(path).name for path in paths] for kind, paths in passed_over.by_kind.items()} == {
        "a DICOM file": ["g.dcm"], "a text file": ["notes.txt"], "no file (a device or pipe)": ["pipe"],
        "a hidden file or one that macOS or Windows puts beside others": ["._c.JPG"],
    }  # fmt: skip
    out, errors = io.StringIO(), io.StringIO()
    call_command("classify", str(photos), "--model", "lively", "--json", stdout=out, stderr=errors)
    assert [entry["error"] is None for entry in json.loads(out.getvalue())] == [False] + [True] * 5
    assert f"Passed over, a DICOM file: 1 ({photos / 'g.dcm'})" in errors.getvalue().splitlines()
    assert len(errors.getvalue().splitlines()) == 4


def test_what_was_changed_in_a_photo_is_said(model, photos):
    picture = photo_bytes.lesion()
    (photos / "d.tif").write_bytes(
        photo_bytes.encoded(picture, "TIFF", save_all=True, append_images=[picture])
    )
    plain, pages = entries(photos / "c.JPG", photos / "d.tif")
    assert plain["notes"] == []
    assert pages["notes"] == [imaging.NOTES["first_frame_only"]]
    assert imaging.NOTES["first_frame_only"].removesuffix(".") in run(photos / "d.tif")[0]


def test_what_is_no_photo_in_a_folder_is_named_by_kind(photos):
    (photos / "d").write_bytes(jpeg_bytes(4))
    (photos / "dmask.png").write_bytes(jpeg_bytes(5))
    (photos / "link.jpg").symlink_to(photos / "c.JPG")
    passed_over = photo_files.PassedOver()
    found = photo_files.find([str(photos)], passed_over)
    assert [Path(item.path).name for item in found] == ["a.png", "a.jpeg", "c.JPG", "d"]
    assert [line.split(" (")[0] for line in passed_over.lines()] == [
        "Passed over, a hidden file or one that macOS or Windows puts beside others: 1",
        "Passed over, a link: 1",
        "Passed over, a mask or a picture of superpixels: 1",
        "Passed over, a text file: 1",
    ]


def test_names_of_what_is_passed_over_cannot_steer_the_terminal(model, photos):
    (photos / "\x1b[31mred\n.txt").write_text("x")
    errors = io.StringIO()
    call_command("classify", str(photos), "--model", "lively", stdout=io.StringIO(), stderr=errors)
    assert "\x1b" not in errors.getvalue() and "\\x1b[31mred\\n.txt" in errors.getvalue()


def test_an_entry_has_exactly_what_programs_were_promised(model, photos):
    good, bad = entries(photos / "c.JPG", photos / "a.png")
    promised = {
        "path",
        "model",
        "scores",
        "differential",
        "computed",
        "unlike_training_photos",
        "notes",
        "error",
    }
    assert set(good) == set(bad) == promised
    assert set(good["computed"]) == {"runtime", "precision"} and bad["computed"] is None
    assert good["computed"]["precision"] == "f32"
    assert good["model"] == bad["model"] == "lively"
    assert list(good["scores"]) == list(DISEASE_KEYS)
    assert 0 < sum(good["scores"].values()) < 1, "the rest belongs to the background classes"
    listed = {key: score for key, score in good["scores"].items() if score > 0.1}
    assert listed, "the test needs a listed disease"
    assert {entry["disease"]: entry["score"] for entry in good["differential"]} == listed
    assert {entry["threshold"] for entry in good["differential"]} == {0.1}
    assert (bad["scores"], bad["differential"]) == ({}, [])
    assert set(bad["error"]) == {"code", "message"}
    assert bad["error"]["code"] == "unsupported"


def test_entries_stand_in_the_order_of_the_input(model, photos):
    given = [photos / "c.JPG", photos / "missing.jpg", photos / "b" / "a.jpeg", photos / "c.JPG"]
    assert [entry["path"] for entry in entries(*given)] == [str(path) for path in given]


def test_scores_are_those_of_an_upload_of_the_same_photo(model, photos, settings):
    stored = imaging.accept((photos / "c.JPG").read_bytes())
    crop = imaging.crop(
        imaging.open_rgb(stored.jpeg), imaging.largest_centred_square(stored.width, stored.height)
    )
    runtime = open_runtime(model, cache_dir=settings.CACHE_DIR)
    assert entries(photos / "c.JPG")[0]["scores"] == pytest.approx(
        analyse(runtime, [crop])[0].scores, abs=1e-6
    )


def test_a_box_chooses_the_square(model, photos):
    path = photos / "c.JPG"  # 320x256
    centred = entries(path)[0]
    assert entries(path, "--box", "32,0,256")[0] == centred
    assert entries(path, "--box", "0,10,100")[0]["scores"] != centred["scores"]
    assert entries(path, "--box", "300,0,100")[0]["error"]["code"] == "box_outside"
    assert entries(path, "--box", "0,0,nan")[0]["error"]["code"] == "box_not_numbers"


@pytest.mark.parametrize("box", ["", "1,2", "1,2,3,4"])
def test_a_box_without_three_numbers_is_refused(model, photos, box):
    with pytest.raises(CommandError, match="X,Y,SIZE"):
        run(photos, "--box", box)


def make_fifo(path):
    os.mkfifo(path)


def make_large(path):
    with path.open("wb") as file:
        file.truncate(imaging.MAX_BYTES + 1)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda path: None, "missing"),
        (lambda path: path.write_bytes(b""), "empty"),
        (lambda path: path.write_bytes(jpeg_bytes(1)[:-2000]), "damaged"),
        (lambda path: path.mkdir(), "no_photos"),
        (lambda path: path.symlink_to("nowhere"), "missing"),
        (make_fifo, "not_a_file"),
        (make_large, "too_large"),
    ],
)
def test_a_bad_path_is_an_entry_and_stops_nothing(model, photos, make, code):
    bad = photos.parent / "bad.jpg"
    make(bad)
    first, second = entries(bad, photos / "c.JPG")
    assert first["path"] == str(bad)
    assert first["error"]["code"] == code
    assert second["error"] is None


def test_a_file_that_may_not_be_read_is_an_entry(model, photos, monkeypatch):
    def denied(_path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", denied)
    found = photo_files.classify(photo_files.find([str(photos / "c.JPG")]), runtime=None)
    assert next(found).error == {"code": "unreadable", "message": "It cannot be read: Permission denied."}


def test_the_exit_status_is_1_only_if_every_file_failed(model, photos):
    assert run(photos, "--json")[1] == 0
    out, status = run(photos / "a.png", photos / "missing", "--json")
    assert status == 1
    assert len(json.loads(out)) == 2


def test_scores_that_are_no_numbers_spoil_one_entry_of_their_batch(model, photos, settings, monkeypatch):
    runtime = open_runtime(model, cache_dir=settings.CACHE_DIR)

    def spoilt(runtime, crops):
        if any(crop.width == 200 for crop in crops):
            raise NonFiniteScores("not finite")
        return analyse(runtime, crops)

    monkeypatch.setattr(photo_files, "analyse", spoilt)
    odd = photos / "odd.jpg"
    odd.write_bytes(jpeg_bytes(3, width=200, height=220))
    paths = [str(photos / "c.JPG"), str(odd), str(photos / "a.png"), str(photos / "b" / "a.jpeg")]
    found = list(photo_files.classify(photo_files.find(paths), runtime, batch=3))
    assert [item.path for item in found] == paths
    codes = [item.error and item.error["code"] for item in found]
    assert codes == [None, "scores_not_finite", "unsupported", None]


def test_batches_change_nothing(model, photos, settings):
    runtime = open_runtime(model, cache_dir=settings.CACHE_DIR)
    found = photo_files.find([str(photos)])
    alone = list(photo_files.classify(found, runtime))
    together = list(photo_files.classify(found, runtime, batch=16))
    assert [item.error for item in alone] == [item.error for item in together]
    for one, other in zip(alone[1:], together[1:], strict=True):
        assert one.outcome.scores == pytest.approx(other.outcome.scores, abs=1e-5)


def test_unknown_names_are_said_with_the_known_ones(model, photos):
    with pytest.raises(CommandError, match="lively"):
        run(photos, model="nobody")
    with pytest.raises(CommandError, match="balanced"):
        run(photos, "--thresholds", "nobody")


@pytest.mark.django_db
def test_a_clinics_own_model_is_used_and_another_of_its_name_told(
    model, photos, clinic, other_clinic, settings
):
    for number, owner in enumerate((clinic, other_clinic), start=1):
        folder = settings.MODELS_DIR / f"clinic-{owner.pk}" / f"trained-0000000{number}"
        lively.save(folder, "efficientnet_lite0", seed=number)
        change = json.loads((folder / "manifest.json").read_text()) | {"name": "trained"}
        (folder / "manifest.json").write_text(json.dumps(change))
    scores = [
        json.loads(run(photos / "c.JPG", "--json", "--clinic", owner.slug, model="trained")[0])[0]["scores"]
        for owner in (clinic, other_clinic)
    ]
    assert scores[0] != scores[1]
    with pytest.raises(CommandError, match=f"of the clinic {clinic.slug}"):
        run(photos / "c.JPG", model="trained")
    with pytest.raises(CommandError, match=f"no clinic 'nowhere'; there are: .*{clinic.slug}"):
        run(photos / "c.JPG", "--clinic", "nowhere", model="trained")


def test_a_model_that_was_changed_is_refused(photos, tmp_path):
    folder = lively.save(tmp_path / "changed", "efficientnet_lite0")
    with (folder / "model.safetensors").open("ab") as file:
        file.write(b"x")
    with pytest.raises(CommandError, match="SHA-256"):
        run(photos, model=str(folder))


def test_without_thresholds_nothing_is_listed(photos, tmp_path):
    plain = lively.manifest("efficientnet_lite0", thresholds={})
    weights.save(tmp_path / "plain", plain, lively.make("efficientnet_lite0", 12).state_dict())
    out, status = run(photos / "c.JPG", "--json", model=str(tmp_path / "plain"))
    assert status == 0
    assert json.loads(out)[0]["differential"] == []


def test_heatmaps_are_three_panels_for_each_listed_disease(model, photos, tmp_path, settings):
    entry = entries(photos / "a.png", photos / "c.JPG", "--heatmaps", tmp_path / "maps")[1]
    names = {f"0002-c-{listed['disease']}.png" for listed in entry["differential"]}
    assert {path.name for path in (tmp_path / "maps").iterdir()} == names
    runtime = open_runtime(model, cache_dir=settings.CACHE_DIR)
    (item,) = photo_files.classify(photo_files.find([str(photos / "c.JPG")]), runtime)
    disease = entry["differential"][0]["disease"]
    panels = Image.open(tmp_path / "maps" / f"0002-c-{disease}.png")
    expected = heatmap_rgb(item.outcome.maps[DISEASE_KEYS.index(disease)], 512)
    assert panels.width == 1536 and panels.height > 512  # with disease and model below
    np.testing.assert_array_equal(panels.crop((1024, 0, 1536, 512)), expected)


def test_without_a_listed_disease_the_likeliest_gets_its_heatmap(photos, tmp_path):
    plain = lively.manifest("efficientnet_lite0", thresholds={})
    weights.save(tmp_path / "plain", plain, lively.make("efficientnet_lite0", 12).state_dict())
    arguments = (photos / "c.JPG", "--json", "--heatmaps", tmp_path / "maps")
    scores = json.loads(run(*arguments, model=str(tmp_path / "plain"))[0])[0]["scores"]
    assert [path.name for path in (tmp_path / "maps").iterdir()] == [
        f"0001-c-{max(scores, key=scores.get)}.png"
    ]


def test_a_folder_for_heatmaps_that_cannot_be_made_is_said(model, photos, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="heatmaps cannot be written"):
        run(photos, "--heatmaps", tmp_path / "file" / "maps")


def test_file_names_never_become_paths_or_control_a_terminal(model, tmp_path):
    odd = tmp_path / "photos" / "a\nb\x1b[31m\u202e;$(x) 점.jpg"
    odd.parent.mkdir()
    odd.write_bytes(jpeg_bytes(1))
    table, _status = run(odd, "--heatmaps", tmp_path / "maps")
    assert not {"\x1b", "\u202e"} & set(table)
    assert r"a\nb\x1b[31m" in table
    for path in (tmp_path / "maps").iterdir():
        assert path.name.startswith("0001-a_b_31m_x_-")


def test_the_table_says_what_is_listed_and_what_failed(model, photos):
    table, status = run(photos)
    assert status == 0
    assert "Model: lively, trained on nothing: random weights" in table
    assert "no diagnosis" in table
    lines = {line.split("  ")[0]: line for line in table.splitlines()}
    listed = entries(photos / "c.JPG")[0]["differential"]
    assert f"{listed[0]['score']:.2f}" in lines[str(photos / "c.JPG")]
    assert "not among these 12" in lines[str(photos / "c.JPG")]
    assert "not classified: This is" in lines[str(photos / "a.png")]


def test_it_works_in_an_empty_home_with_the_shipped_model_and_without_torch_the_second_time(photos, tmp_path):
    """Before any migration; standard output holds nothing but the JSON."""
    home = tmp_path / "new"
    environment = {**os.environ, "SKINCLINIC_HOME": str(home)}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    script = (
        "import sys; sys.argv[0] = 'manage.py'; sys.path.insert(0, '.')\n"
        "import manage; manage.main(); print('torch' in sys.modules, file=sys.stderr)"
    )
    command = [sys.executable, "-c", script, "classify", str(photos), "--json"]
    for torch_is_needed in ("True", "False"):
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert [entry["error"] is None for entry in found] == [False, True, True]
        assert found[1]["model"] == weights.default_name()
        assert done.stderr.split()[-1] == torch_is_needed
    assert not list(home.glob("**/*.sqlite3"))
