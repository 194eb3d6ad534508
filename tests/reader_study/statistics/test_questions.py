"""Overall accuracy, malignant against benign, management: beside an analysis in R that leaves out case by case."""

from dataclasses import replace

import numpy as np
import pytest

from classifier.metrics import notes
from classifier.metrics.plain import plain
from reader_study.services.results.model_seen import without_tests
from reader_study.statistics import patterns
from reader_study.statistics.areas import by_patient
from reader_study.statistics.coded import parts, together
from reader_study.statistics.questions import questions
from reader_study.statistics.report import report
from reader_study.statistics.tables import Answer, Image, StudyTables
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from tests.reader_study.made_study import made_study

# A letter for each disease in the fixed order, - for a photo that was skipped.
TRUTH = "fgjlabjlcdkfdjdehgbakjkgjdfjbdbflbeekcgdajadffblilbidgldibdl"
MODEL = "fgdlhbhlcekfkjdealjaekfgcdfjbdbflbgablgeadadfcblflcifgldiidj"
READ = {
    "unaided": (
        "dgijba-la-kfb-il-gbbafhhjiefbhbfljilfclaajajdffcg-gj-elcibll",
        "gcjbbijhc-cfdbkbid-ikc-gidfcadjflbbajdhdkjaiflidfebidjllibdd",
        "fa-icb-lcdga-adakhgedffgfdfjbdbglijgkcidbjaddfbabjblhdlihhdi",
        "gghl-cjicdhadj-afjagkjkahafj-leijdbdkehdajadfk-ecaegcgldabil",
    ),
    "aided": (
        "lgjeafclfecfdjeeccldegagjdhjbdekgfebdcbdaiidffblilbcdggdibil",
        "fcelibjdfakfejddijhakje--afjijkcaieelcgidflbflblilgidcadhbkl",
        "gbccfbjhcbk-dedidgdakakljdfjhcbflbjejcaj-jclffblllbicdbdhbdf",
        "djjcghjlcadfkjdliglfkkjgfddjlabfi-eeb-ejaka-ffbfllbidgldgbdl",
    ),
}
# R 4: figures of merit without each case in turn, Obuchowski and Rockette's analysis by its formulas. The model minus
# the unaided readers: model, readers, difference, low, high, df, p. Aided minus unaided: means, difference, low, high,
# F, df2, p.
IN_R = (
    (
        "wrong", "accuracy", "accuracy",
        (0.6, 0.3875, 0.2125, 0.0844986559183893,
         0.340501344081611, 463.261278342707, 0.00118660168127169),
        (0.3875, 0.504166666666667, 0.116666666666667, 0.0236663984707333,
         0.2096669348626, 8.00831024930747, 9.16844209674677, 0.0193771533517079),
    ),
    (
        "wrong", "malignant", "balanced_accuracy",
        (0.8125, 0.659375, 0.153125, 0.0325149909171185,
         0.273735009082882, 68.4525130782558, 0.0136009814357835),
        (0.659375, 0.709375, 0.05, -0.0126602986371729,
         0.112660298637173, 4.85910523020671, 4.05184915982354, 0.0913386023484101),
    ),
    (
        "wrong", "malignant", "sensitivity",
        (0.8, 0.6125, 0.1875, -0.0502041523201792,
         0.425204152320179, 23.3628544600813, 0.11643781096123),
        (0.6125, 0.6375, 0.0249999999999999, -0.140619756720893,
         0.190619756720893, 0.230769230769229, 3, 0.66380801203237),
    ),
    (
        "wrong", "malignant", "specificity",
        (0.825, 0.70625, 0.11875, 0.00689341124254414,
         0.230606588757456, 148.295147928995, 0.0376125647666398),
        (0.70625, 0.78125, 0.075, -0.00658374630039991,
         0.1565837463004, 4.16205533596838, 10.3061627017671, 0.0678026857744494),
    ),
    (
        "as_read", "accuracy", "accuracy",
        (0.620518309663046, 0.414647730437204, 0.205870579225842, 0.0757692454714808,
         0.335971912980204, 320.474297643044, 0.00201770171771224),
        (0.419264976812147, 0.525597166634903, 0.106332189822756, 0.034994895000321,
         0.177669484645191, 10.0363619093496, 15.5069238738582, 0.00615539691160705),
    ),
    (
        "as_read", "malignant", "balanced_accuracy",
        (0.824000593234339, 0.701615209219698, 0.122385384014641, -0.00490469149264372,
         0.249675459521926, 42.771762905184, 0.0590812885143377),
        (0.703685477272939, 0.752945127790329, 0.0492596505173905, -0.0359092721361606,
         0.134428573170942, 3.38799308409542, 3, 0.162932422076015),
    ),
    (
        "as_read", "malignant", "sensitivity",
        (0.81640866873065, 0.639589783281734, 0.176818885448916, -0.0480328801152288,
         0.401670651013062, 34.8128374278076, 0.119361981039442),
        (0.64890350877193, 0.69890350877193, 0.05, -0.146083538491315,
         0.246083538491315, 0.658536585365855, 3, 0.476484334217878),
    ),
    (
        "as_read", "malignant", "specificity",
        (0.831592517738029, 0.763640635157663, 0.0679518825803656, -0.0401168684291485,
         0.17602063358988, 278.099720034223, 0.216841487777423),
        (0.758467445773947, 0.806986746808728, 0.0485193010347809, -0.0292079156127341,
         0.126246517682296, 1.92141207228683, 10.2570767395629, 0.195093198550575),
    ),
)  # fmt: skip
CLOSE = {"rel": 1e-9, "abs": 1e-12}


def key(letter: str) -> str:
    return "" if letter == "-" else DISEASE_KEYS["abcdefghijkl".index(letter)]


def study(management: bool = False) -> StudyTables:
    images = tuple(Image(f"i{place}", "asan", key(letter)) for place, letter in enumerate(TRUTH))
    scores = np.array([[letter == other for other in "abcdefghijkl"] for letter in MODEL], float)
    answers = tuple(
        Answer(session, f"R{number}", "AB"[number % 2], f"i{place}", key(letter))
        for session, lines in READ.items()
        for number, line in enumerate(lines)
        for place, letter in enumerate(line)
    )
    if management:
        malignant = {"bcc", "scc", "iec", "mm"}
        answers = tuple(
            replace(one, management=one.answer and ("biopsy" if one.answer in malignant else "no_biopsy"))
            for one in answers
        )
    return StudyTables(images, scores, answers)


def asked_of(tables: StudyTables, ak: str = "benign") -> dict:
    return plain(questions(parts(tables)[0], ak, 0.1))


@pytest.fixture(scope="module")
def asked() -> dict:
    return asked_of(study(management=True))


def test_the_model_and_the_sessions_beside_r(asked, monkeypatch):
    """Where more than a few answers are missing, those that were given are no longer taken for a crossed design."""
    assert (
        asked["accuracy"]["compare"]["unaided_vs_aided"]["all"]["accuracy"]["method"]
        == patterns.OBUCHOWSKI_ROCKETTE
    )
    as_read = asked["accuracy"]["ai_vs_readers"]["unaided"]["all"]["accuracy"]["as_read"]
    assert as_read["method"] == patterns.U_STATISTICS
    monkeypatch.setattr(patterns, "method", lambda cells, given: patterns.OBUCHOWSKI_ROCKETTE)
    asked = asked_of(study())
    for rule, question, merit, of_model, of_sessions in IN_R:
        one = asked[question]["ai_vs_readers"]["unaided"]["all"][merit]
        one = one if rule == "wrong" else one["as_read"]
        ours = (one["ai"], one["readers_mean"], one["difference"], *one["ci"], one["df"], one["p"])
        assert ours == pytest.approx(of_model, **CLOSE), (rule, question, merit)
        two = asked[question]["compare"]["unaided_vs_aided"]["all"][merit]
        two = two if rule == "wrong" else two["as_read"]
        ours = (two["b"], two["difference"], *two["ci"], two["f"], two["df2"], two["p"])
        assert ours == pytest.approx(of_sessions[-7:], **CLOSE), (rule, question, merit)
    assert asked["accuracy"]["model"]["accuracy"] == 0.6


def test_biopsies_of_what_is_malignant(asked):
    """Here a biopsy is taken of what is called malignant: the same figures, of which the model has none."""
    of_biopsy, of_name = (asked[name]["compare"]["unaided_vs_aided"] for name in ("management", "malignant"))
    assert of_biopsy == of_name and set(of_name["groups"]) == {"A", "B"}
    one = asked["management"]["ai_vs_readers"]["unaided"]["all"]["balanced_accuracy"]
    assert (one["difference"], one["note"]) == (None, notes.NO_MODEL_ANSWER)
    assert "management" not in asked_of(study())


def test_actinic_keratosis_stands_in_both_places(asked):
    asked, other = asked["malignant"], asked_of(study(), "malignant")["malignant"]
    assert (asked["ak"], asked["alternative"]["ak"]) == ("benign", "malignant")
    assert asked["n_positives"] < other["n_positives"] == asked["alternative"]["n_positives"]
    assert asked["alternative"]["ai_vs_readers"] == other["ai_vs_readers"]


def test_datasets_together_count_each_photo_once():
    tables = study()
    parted = tuple(replace(one, dataset="ab"[place % 3 == 0]) for place, one in enumerate(tables.images))
    tables = replace(tables, images=parted)
    pooled = report(replace(tables, scores=None, answers=tables.answers[:120]))["pooled"]
    assert (pooled["n"], pooled["strata"]) == (60, {"b": 20, "a": 40})
    assert plain(questions(together(tables, ""), "benign", 0.1)) == asked_of(study())


def test_photos_of_one_patient_are_one_case():
    """Twice the same photos of the same patients: by photo the interval shrinks, by patient it is that of one each."""
    tables = study()
    twice = StudyTables(
        tuple(replace(one, name=f"{one.name}-{n}", patient=one.name) for n in "ab" for one in tables.images),
        np.concatenate([tables.scores, tables.scores]),
        tuple(replace(one, image=f"{one.image}-{n}") for n in "ab" for one in tables.answers),
    )
    once, found = (asked_of(one) for one in (tables, twice))
    for question in ("accuracy", "malignant"):
        for kind, name in (("ai_vs_readers", "unaided"), ("compare", "unaided_vs_aided")):
            tests = found[question][kind][name]["all"]
            for merit, one in tests.items():
                alone = once[question][kind][name]["all"][merit]
                assert alone["by_patient"] is None and one["difference"] == pytest.approx(alone["difference"])
                # The jackknife of balanced accuracy counts all cases, twice as many here.
                loose = {"rel": 0.05 if merit == "balanced_accuracy" else 1e-9}
                assert one["by_patient"]["ci"] == pytest.approx(alone["ci"], **loose), (question, merit)
                assert one["by_patient"]["design_effect"] == pytest.approx(2, rel=0.12)
                assert one["by_patient"]["patients"] * 2 == one["by_patient"]["images"]
    area = by_patient(np.arange(6) % 4 / 4, np.arange(6) > 2, np.arange(6) % 3)
    assert (area["patients"], area["images"]) == (3, 6) and area["ci"][0] >= 0


def test_what_may_be_concluded_of_a_question():
    wishes = {"margin": 0.1, "endpoints": ("accuracy", "mm", "sessions_accuracy"), "is_fixed": True}
    tables = made_study(n=120, readers=3, datasets=("asan",))
    found = report(tables, **wishes)
    asan = found["datasets"]["asan"]
    model, between = asan["question_verdicts"]["unaided"], asan["session_verdicts"]["unaided_vs_aided"]
    assert model["accuracy"]["reasons"] == [] and between["accuracy"]["reasons"] == []
    assert (model["malignant"]["reasons"], between["malignant"]["reasons"]) == (["secondary"], ["secondary"])
    # The margin is one of a question's first figure; it says nothing of the others.
    malignant = asan["questions"]["malignant"]["ai_vs_readers"]["unaided"]["all"]
    assert {name: one["non_inferiority"] is not None for name, one in malignant.items()} == {
        "balanced_accuracy": True, "sensitivity": False, "specificity": False,
    }  # fmt: skip
    # Two kinds of comparison have a primary endpoint, and one pair of sessions: every p counts twice.
    p = asan["questions"]["accuracy"]["compare"]["unaided_vs_aided"]["all"]["accuracy"]["p"]
    assert between["accuracy"]["rules"]["missing_is_wrong"]["p_holm"] == pytest.approx(min(1, 2 * p))
    # Incomplete, or not fixed before: nothing.
    half = tuple(one for one in tables.answers if one.reader != "reader-01" or one.image < "photo-0060")
    for odd, changed in ((replace(tables, answers=half), {}), (tables, {"is_fixed": False})):
        asan = report(odd, **(wishes | changed))["datasets"]["asan"]
        assert asan["question_verdicts"]["unaided"]["accuracy"]["verdict"] == "open"
        assert asan["session_verdicts"]["unaided_vs_aided"]["accuracy"]["verdict"] == "open"
    # A model that may have seen the photos: no p of it anywhere, and those of the sessions stay.
    asan = without_tests(found)["datasets"]["asan"]
    one = asan["questions"]["accuracy"]["ai_vs_readers"]["unaided"]["all"]["accuracy"]
    assert (one["p"], one["as_read"]["p"], one["non_inferiority"]) == (None, None, None) and one["ci"]
    assert asan["question_verdicts"]["unaided"]["accuracy"]["verdict"] == "open"
    assert asan["questions"]["accuracy"]["compare"]["unaided_vs_aided"]["all"]["accuracy"]["p"] == p


def test_missing_answers_of_the_question_itself_leave_it_open():
    whole = study(management=True)
    some = tuple(
        replace(one, management="") if place % 3 == 0 else one for place, one in enumerate(whole.answers)
    )
    bare = tuple(replace(one, answer="") for one in whole.answers)
    for answers, least, reason in ((some, 0.3, notes.MANY_MISSING), (bare, 0, notes.NO_ANSWERS)):
        tables = replace(whole, answers=answers)
        found = report(tables, endpoints=["sessions_management"], is_fixed=True)["datasets"]["asan"]
        test = found["questions"]["management"]["compare"]["unaided_vs_aided"]["all"]["balanced_accuracy"]
        assert test["missing_share"] > least and test["ci"]
        verdict = found["session_verdicts"]["unaided_vs_aided"]["management"]
        assert verdict["verdict"] == "open" and reason in verdict["reasons"]


def test_thresholds_of_the_protocol_decide_where_they_were_chosen():
    tables = study()
    wishes = {"margin": 0.1, "endpoints": ("nevus", "mm"), "is_fixed": True}
    found = report(tables, **wishes, operating_point="thresholds", thresholds={"nevus": 2.0})
    assert found["settings"]["operating_point"] == "thresholds"
    asan = found["datasets"]["asan"]
    test = asan["ai_vs_readers"]["unaided"]["nevus"]
    # Above 2 there is no score: nothing is called a nevus.
    assert (test["fixed_threshold"], test["at_threshold"]["ai"]) == (2.0, 0.5) and test["argmax"]["ai"] > 0.5
    verdict = asan["verdicts"]["unaided"]
    assert verdict["nevus"]["operating_point"] == "thresholds"
    assert verdict["mm"]["reasons"] == [notes.NO_THRESHOLD]
    one = asan["questions"]["malignant"]["ai_vs_readers"]["unaided"]["all"]["balanced_accuracy"]
    assert one["note"] == notes.NO_THRESHOLD
    for odd in ({"operating_point": "thresholds"}, {"operating_point": "best"}):
        with pytest.raises(ValueError, match="operating"):
            report(tables, **odd)
