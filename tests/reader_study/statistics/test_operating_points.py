"""A verdict rests on the operating point of the protocol: the model's first choice, or thresholds of another cohort."""

import numpy as np
import pytest

from classifier.metrics import notes
from reader_study import mrmc
from reader_study.services.results import conclusions
from reader_study.statistics import verdicts
from reader_study.statistics.report import report
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests.reader_study.made_study import made_study


def test_the_model_is_compared_at_the_thresholds_of_the_protocol():
    tables = made_study(n=160, readers=3, sessions=("unaided",), datasets=("asan",))
    thresholds = dict.fromkeys(DISEASE_KEYS, 0.2) | {"mm": 0.9999}
    del thresholds["sk"]
    how = {"margin": 0.5, "endpoints": ["bcc"], "is_fixed": True}
    found = report(tables, **how, thresholds=thresholds, operating_point="thresholds")
    one = found["datasets"]["asan"]
    test = one["ai_vs_readers"]["unaided"]["bcc"]
    truth = np.array([image.truth == "bcc" for image in tables.images])
    said = np.array(
        [[answer.answer == "bcc" for answer in tables.answers[k * 160 : k * 160 + 160]] for k in range(3)]
    )
    cells = np.ones_like(said, dtype=bool)
    decided = np.broadcast_to(tables.scores[:, 0] > 0.2, said.shape)
    mine = mrmc.ai_against_readers(
        mrmc.balanced_accuracy(decided, truth, cells), mrmc.balanced_accuracy(said, truth, cells), margin=0.5
    )
    assert test["at_threshold"]["difference"] == pytest.approx(mine.difference, abs=1e-12)
    assert (
        test["fixed_threshold"] == 0.2 and test["at_threshold"]["difference"] != test["argmax"]["difference"]
    )
    verdict = one["verdicts"]["unaided"]
    assert verdict["bcc"]["operating_point"] == "thresholds" and verdict["bcc"]["reasons"] == []
    assert verdict["bcc"]["rules"]["missing_is_wrong"]["claim"] in (verdicts.NON_INFERIOR, verdicts.SUPERIOR)
    # The protocol holds none of this disease: the first choice does not step in.
    assert one["ai_vs_readers"]["unaided"]["sk"]["at_threshold"] is None
    assert verdict["sk"]["reasons"] == [notes.NO_THRESHOLD]
    told = {row.key: row for row in conclusions.of_report(found, "asan", "unaided")}
    assert told["bcc"].difference != told["bcc"].youden and "Non-inferior" in told["bcc"].text
    assert "no threshold was fixed" in told["sk"].text
    # Without a word of thresholds all is as it was.
    plain = report(tables, **how)["datasets"]["asan"]
    assert plain["verdicts"]["unaided"]["bcc"]["operating_point"] == "first_choice"
    assert plain["ai_vs_readers"]["unaided"]["bcc"]["at_threshold"] is None
    with pytest.raises(ValueError, match="operating_point"):
        report(tables, operating_point="youden")
