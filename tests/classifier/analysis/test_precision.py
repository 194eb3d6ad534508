"""How finely an answer was computed is part of it: kept, shown, and never of figures but in full."""

import io
import json

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from classifier.analysing import precision_check
from classifier.analysing.pipeline import Outcome
from classifier.management.commands import compare_precisions
from classifier.models import Analysis, TryRun
from classifier.runtimes import Computed, cuda, openvino_library, processor
from classifier.services.analysis import analyses, batch_analyses, trials
from classifier.services.models import registry
from skinclinic.engine import jobs
from skinclinic.models import Job
from tests import factories, results
from tests.skinclinic.pages import url

pytestmark = pytest.mark.django_db
COARSE = Computed("OpenVINO 2026.4.1", "bf16")
needs_openvino = pytest.mark.skipif(
    not openvino_library.load(), reason="there is no OpenVINO for this machine"
)


@pytest.fixture
def in_bfloat16(settings, monkeypatch, has_bfloat16):
    """Asked for, on a processor that has it."""
    settings.INFERENCE_PRECISION = "bf16"
    monkeypatch.setattr(cuda, "is_available", lambda: False)


@needs_openvino
def test_clinics_are_answered_as_finely_as_the_settings_say_and_figures_in_full(
    in_bfloat16, photo, clinician, lite_dir
):
    version = registry.register(lite_dir)
    asked = factories.make_analysis(photo, clinician)
    assert (asked.precision, asked.runtime) == ("bf16", f"OpenVINO {openvino_library.version()}")
    assert list(batch_analyses.of_photos(version, [photo.pk])) == []
    assert batch_analyses.analyse(version, [photo.pk]) == []
    (exact,) = batch_analyses.of_photos(version, [photo.pk])
    assert (exact.precision, exact.job) == ("f32", None)
    assert 0 < max(abs(exact.scores[key] - asked.scores[key]) for key in asked.scores) < 0.15
    # The clinic's answer is still its own, and asked for again it is the same.
    assert analyses.current_analysis(photo) == asked
    assert analyses.request_analysis(photo, user=clinician) == asked
    assert Analysis.objects.count() == 2
    trial = trials.start(photo.clinic, sender="x", data=factories.jpeg_bytes())
    jobs.run_waiting(trials.JOB)
    assert TryRun.objects.get(pk=trial.pk).result["precision"] == "bf16"


def test_what_was_computed_before_precisions_were_kept_counts_until_it_is_computed_again(
    photo, clinician, model_version
):
    batch_analyses.analyse(model_version, [photo.pk])
    Analysis.objects.update(precision="", runtime="", scores=results.SCORES)
    (old,) = batch_analyses.of_photos(model_version, [photo.pk])
    assert old.scores == results.SCORES, "a study that is being read goes on"
    analyses.request_analysis(photo, user=clinician)  # it becomes the clinic's own, as it is
    batch_analyses.analyse(model_version, [photo.pk])
    (new,) = batch_analyses.of_photos(model_version, [photo.pk])
    assert new.precision == "f32" and new.scores != results.SCORES
    assert analyses.current_analysis(photo).scores == results.SCORES


def test_an_exact_answer_is_not_overwritten_by_a_coarser_one(photo, clinician, model_version):
    asked = analyses.request_analysis(photo, user=clinician)
    batch_analyses.analyse(model_version, [photo.pk], give_way=False)
    exact = Analysis.objects.get(pk=asked.pk)
    results.finish(asked, computed=COARSE)
    after = Analysis.objects.get(pk=asked.pk)
    assert (after.scores, after.precision) == (exact.scores, "f32")
    results.finish(asked)
    assert Analysis.objects.get(pk=asked.pk).scores == results.SCORES


def test_page_api_and_report_say_how_an_answer_was_computed(photo, clinician, client_for):
    found = results.finished(photo, clinician, version=results.make_version(), computed=COARSE)
    client = client_for(clinician)
    assert "OpenVINO 2026.4.1, bfloat16 (bf16)" in client.get(url("photo", photo.pk)).content.decode()
    said = client.get(f"/api/analyses/{found.pk}/").json()
    assert (said["runtime"], said["precision"]) == ("OpenVINO 2026.4.1", "bf16")
    Analysis.objects.filter(pk=found.pk).update(runtime="", precision="")
    assert "not recorded when it was analysed" in client.get(url("photo", photo.pk)).content.decode()
    waiting = factories.make_photo(photo.clinic, clinician, seed=3)
    analyses.request_analysis(waiting, user=clinician)
    assert "Computed with" not in client.get(url("photo", waiting.pk)).content.decode()
    assert Job.objects.filter(state=Job.State.QUEUED).exists()


def test_the_report_names_library_and_precision(photo, clinician, client_for):
    from pypdf import PdfReader

    found = results.finished(photo, clinician, version=results.make_version(), computed=COARSE)
    file = client_for(clinician).get(url("analysis-report", found.pk)).content
    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(file)).pages)
    assert "bfloat16 (bf16)" in text.replace("\n", " ")


def outcome(**scores) -> Outcome:
    return Outcome(
        results.SCORES | scores, 0.09, np.zeros((12, 2, 2), np.float16), results.BLACK, 0.1, COARSE
    )


def test_differentials_are_compared_by_diseases_and_by_order(monkeypatch, lite_dir, cache_dir):
    from classifier.runtimes import open_runtime

    runtime = open_runtime(lite_dir, cache_dir=cache_dir, prefer="cpu")
    answers = iter(
        [
            *(outcome(), outcome()),
            *(outcome(bcc=0.41, ak=0.2), outcome(bcc=0.2, ak=0.41)),
            *(outcome(mm=0.31), outcome(mm=0.29)),
        ]
    )
    monkeypatch.setattr(precision_check, "analyse_prepared", lambda *_: [next(answers)])
    crops = [(name, Image.new("RGB", (64, 64))) for name in "abc"]
    found = precision_check.compare(
        runtime, runtime, crops, {"low": dict.fromkeys(results.SCORES, 0.15), "high": results.BALANCED}
    )
    assert (found.differing["low"].diseases, found.differing["low"].order) == ([], ["b"])
    assert (found.differing["high"].diseases, found.differing["high"].order) == (["b", "c"], [])
    assert (found.photos, found.largest_of, found.largest) == (3, "b", pytest.approx(0.21))
    assert found.share("high") == pytest.approx(2 / 3)


@needs_openvino
def test_the_command_tells_what_bfloat16_changes(in_bfloat16, lite_dir, tmp_path, monkeypatch):
    (tmp_path / "photo.jpg").write_bytes(factories.jpeg_bytes())
    (tmp_path / "broken.jpg").write_bytes(b"broken")
    out, problems = io.StringIO(), io.StringIO()
    options = {"model": f"{lite_dir}/", "stdout": out, "stderr": problems}
    monkeypatch.setattr(compare_precisions, "MOST_DIFFERING", 1.0)  # random weights do not bear bfloat16
    call_command("compare_precisions", str(tmp_path), json=True, **options)
    said = json.loads(out.getvalue())
    assert [one["precision"] for one in said["computed"]] == ["f32", "bf16"]
    assert said["photos"] == 1 and set(said["shares"]) == {"balanced"} and 0 < said["largest"] < 0.15
    assert "broken.jpg" in problems.getvalue()
    call_command("compare_precisions", str(tmp_path), **options)
    assert "another differential by “balanced”" in out.getvalue()
    monkeypatch.setattr(compare_precisions, "MOST_DIFFERING", -1.0)
    with pytest.raises(SystemExit):
        call_command("compare_precisions", str(tmp_path), **options)
    monkeypatch.setattr(processor, "has_bfloat16", lambda: False)
    with pytest.raises(CommandError, match="nothing to compare"):
        call_command("compare_precisions", str(tmp_path), **options)
