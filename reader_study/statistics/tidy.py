"""A report as tables with one fact a row, diseases in words."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reader_study import asked
from reader_study.statistics.coded import AS_READ, parts
from reader_study.statistics.design import COUNTED
from reader_study.statistics.tables import Answer, StudyTables
from reader_study.statistics.tidy_questions import MATCHED, matched_rows, question_rows
from skinclinic.vocabulary.diseases import BENIGN, BY_KEY, DISEASE_KEYS, MALIGNANT

RESULTS = {
    asked.CANNOT_JUDGE: "cannot judge",
    asked.OUT_OF_TIME: "not answered in time",
    asked.KNOWS_PATIENT: "left out, patient known",
}
BESIDES = ("management", "quality", "comment")
# (name, columns, rows)
TidyTable = tuple[str, tuple[str, ...], list[tuple[object, ...]]]
_COMPARED = (
    "dataset", "comparison", "session", "readers", "disease", "key", "figure_of_merit", "missing_answers", "a", "b",
    "difference", "low", "high", "statistic", "value", "df1", "df2", "p", "p_holm", "non_inferiority_margin",
    "non_inferiority_p", "too_few", "note", "method", "design",
)  # fmt: skip


def tidy(report: dict[str, Any], tables: StudyTables, language: str = "en") -> Iterator[TidyTable]:
    """All answers, the readers, their points, the model by disease, every comparison, and what was answered."""
    yield answers(tables, language, report.get("about", {}).get("thresholds_shown", {}))
    yield readers(report)
    yield points(report, language)
    yield diseases(report, language)
    yield comparisons(report, language)
    yield "questions", _COMPARED, list(question_rows(report))
    yield "matched", MATCHED, list(matched_rows(report, lambda key: _name(key, language)))
    yield design(report)


def answers(tables: StudyTables, language: str = "en", shown: Mapping[str, str] | None = None) -> TidyTable:
    """Every answer beside the truth and the model's, a row for each reader, session and image. ``result`` is right or
    wrong, skipped, not reached, not assigned, never shown, or what ``RESULTS`` call an answer without a diagnosis.
    ``shown``: the thresholds readers saw, by session."""
    columns = (
        "session", "reader", "group", "dataset", "image", "truth", "truth_key", "answer", "answer_key", "result",
        "second_choice", "confidence", "seconds", "first_answer", "model_answer", "model_result",
        "model_score_of_truth",
        "sex", "age", "skin_type", "patient", *BESIDES, "thresholds_shown",
    )  # fmt: skip
    given = {(answer.session, answer.reader, answer.image): answer for answer in tables.answers}
    took_part = {(answer.session, answer.reader) for answer in tables.answers}
    rows: list[tuple[object, ...]] = []
    for part in parts(tables):
        argmax = part.argmax
        for session in part.sessions:
            for reader, group in zip(session.readers, session.groups, strict=True):
                if (session.name, reader) not in took_part:
                    continue
                for place, image in enumerate(part.images):
                    found = given.get((session.name, reader, image.name))
                    answer = found or Answer(session.name, reader, group, image.name, "")
                    result = _given_result(found, image.truth, tables.by_design)
                    model = "" if argmax is None else DISEASE_KEYS[argmax[place]]
                    score = None if part.scores is None else float(part.scores[place, part.truth[place]])
                    rows.append(
                        (session.name, reader, group, part.name, image.name, _name(image.truth, language), image.truth,
                         _name(answer.answer, language), answer.answer, result,
                         _name(answer.second, language), answer.confidence, answer.seconds,
                         _name(answer.first_answer, language), _name(model, language),
                         model and _result(model, image.truth), score, image.sex, image.age_text, image.skin_type,
                         image.patient, *(getattr(answer, name) for name in BESIDES),
                         (shown or {}).get(session.name, ""))
                    )  # fmt: skip
    return "answers", columns, rows


def readers(report: dict[str, Any]) -> TidyTable:
    """A row for each dataset, session and reader, then the mean of all and of each group."""
    columns = (
        "dataset", "session", "reader", "group", "images", "answered", "missing", "skipped", "not_reached",
        "never_shown", "not_assigned", "accuracy", "accuracy_low", "accuracy_high", "accuracy_sd", "kappa_vs_truth",
        "kappa_low", "kappa_high", "kappa_p", "kappa_missing_as_category", "fleiss_kappa", "fleiss_low",
        "fleiss_high", "fleiss_p", "fleiss_photos", "fleiss_missing_as_category", "krippendorff_alpha", "alpha_low",
        "alpha_high", "accuracy_answered_only", "median_seconds", "note",
    )  # fmt: skip
    rows: list[tuple[object, ...]] = []
    for dataset, session, found in _sessions(report):
        for name, one in found["readers"].items():
            kept = one["answered_only"]
            rows.append(
                (dataset, session, name, one["group"], one["n"], one["answered"], one["missing"],
                 one["skipped"], one["not_reached"], one["never_shown"], one["not_assigned"], one["accuracy"],
                 *_pair(one["accuracy_ci"]), None, one["kappa_vs_truth"], *_pair(one["kappa_ci"]),
                 one["kappa_p"], one["kappa_missing_as_category"], *[None] * 9, kept and kept["accuracy"],
                 one["seconds"] and one["seconds"]["median"], one["note"])
            )  # fmt: skip
        for name, group, one in _means(found):
            rows.append(
                (dataset, session, name, group, *[None] * 7, one["mean_accuracy"], *_pair(one["mean_accuracy_ci"]),
                 one["sd_accuracy"], *[None] * 5, one["fleiss_kappa"], *_pair(one["fleiss_ci"]), one["fleiss_p"],
                 one["fleiss_answered_only"]["images"], one["fleiss_missing_as_category"]["kappa"],
                 one["krippendorff"]["alpha"], *_pair(one["krippendorff"]["ci"]),
                 one["as_read"]["mean_accuracy"], None, one["note"] or one["mean_accuracy_note"])
            )  # fmt: skip
    return "readers", columns, rows


def points(report: dict[str, Any], language: str = "en") -> TidyTable:
    """Sensitivity and specificity of each reader and disease, then the means of all and of each group."""
    columns = (
        "dataset", "session", "reader", "group", "disease", "key", "true_positives", "positives", "sensitivity",
        "sensitivity_low", "sensitivity_high", "sensitivity_sd", "true_negatives", "negatives", "specificity",
        "specificity_low", "specificity_high", "specificity_sd", "note",
    )  # fmt: skip
    rows: list[tuple[object, ...]] = []
    for dataset, session, found in _sessions(report):
        for name, one in found["readers"].items():
            for key, point in one["points"].items():
                rows.append(
                    (dataset, session, name, one["group"], _name(key, language), key, point.get("true_positives"),
                     point.get("positives"), point["sensitivity"], *_pair(point.get("sensitivity_ci")), None,
                     point.get("true_negatives"), point.get("negatives"), point["specificity"],
                     *_pair(point.get("specificity_ci")), None, point["note"])
                )  # fmt: skip
        for name, group, one in _means(found):
            for key, mean in one["average"].items():
                rows.append(
                    (dataset, session, name, group, _name(key, language), key, None, None, mean["sensitivity"],
                     *_pair(mean["sensitivity_ci"]), mean["sensitivity_sd"], None, None, mean["specificity"],
                     *_pair(mean["specificity_ci"]), mean["specificity_sd"],
                     mean["sensitivity_note"] or mean["specificity_note"])
                )  # fmt: skip
    return "points", columns, rows


def diseases(report: dict[str, Any], language: str = "en") -> TidyTable:
    """The model on the sample, and on the whole test set where there is one."""
    columns = (
        "dataset", "photos", "disease", "key", "positives", "negatives", "auc", "auc_low", "auc_high", "auc_variance",
        "auc_among_other_malignant", "auc_among_other_malignant_low", "auc_among_other_malignant_high",
        "auc_among_other_benign", "auc_among_other_benign_low", "auc_among_other_benign_high", "auc_low_by_patient",
        "auc_high_by_patient", "youden_threshold", "youden_optima", "sensitivity", "specificity",
        "actinic_keratosis_as",
        "specificity_among_other_malignant", "other_malignant", "specificity_among_other_benign", "other_benign",
        "note",
    )  # fmt: skip
    rows: list[tuple[object, ...]] = []
    for dataset, found in report["datasets"].items():
        for key, one in found["diseases"].items():
            for photos, figures in (("sample", one), ("whole test set", one["whole"])):
                if figures is None:
                    continue
                youden = figures["youden"] or {}
                rows.append(
                    (dataset, photos, _name(key, language), key, figures["n_pos"], figures["n_neg"], figures["auc"],
                     *_pair(figures["auc_ci"]), figures["auc_variance"], *_among(figures),
                     *_pair((figures.get("auc_by_patient") or {}).get("ci")), youden.get("threshold"),
                     youden.get("n_optima"), youden.get("sensitivity"), youden.get("specificity"),
                     report["settings"]["ak"], figures["specificity_among_other_malignant"],
                     figures["n_other_malignant"], figures["specificity_among_other_benign"],
                     figures["n_other_benign"], figures["note"] or figures["auc_note"])
                )  # fmt: skip
    return "diseases", columns, rows


def _among(figures: dict[str, Any]) -> Iterator[object]:
    for tier in (MALIGNANT, BENIGN):
        one = (figures.get("among") or {}).get(tier)
        yield from (one["auc"], *_pair(one["auc_ci"])) if one else (None, None, None)


def comparisons(report: dict[str, Any], language: str = "en") -> TidyTable:
    """Every test of a difference, by either way to count missing answers: the model (a) minus readers (b), the later
    session (b) minus the earlier (a)."""
    columns = _COMPARED
    rows: list[tuple[object, ...]] = []
    for dataset, found in report["datasets"].items():
        for session, tests in found["ai_vs_readers"].items():
            rows += _ai_rows(dataset, session, "all", tests, language)
        for session, groups in found["ai_vs_groups"].items():
            for group, tests in groups.items():
                rows += _ai_rows(dataset, session, group, tests, language)
        rows += _session_rows(dataset, found["compare"], language)
        rows += _mcnemar_rows(dataset, found["mcnemar"])
    return "comparisons", columns, rows


def _session_rows(dataset: str, compared: dict[str, Any], language: str) -> Iterator[tuple[object, ...]]:
    for pair, tests in compared.items():
        for key, merits in tests.items():
            for merit, both in merits.items():
                for rule, one in _rules(both):
                    yield (
                        dataset, pair, pair, "all", _name(key, language), key, merit, rule, one["a"], one["b"],
                        one["difference"], *_pair(one["ci"]), "F", one["f"], one["df1"], one["df2"], one["p"],
                        one["p_holm"], None, None, _yes(one["too_few"]), one["note"], one["method"], one["pattern"],
                    )  # fmt: skip
                    # Sessions that share no photo: two samples, not a comparison photo by photo.
                    if apart := one["independent"]:
                        yield (
                            dataset, pair, pair, "all", _name(key, language), key,
                            f"{merit}, independent samples", rule, apart["a"], apart["b"],
                            apart["difference"], *_pair(apart["ci"]), "F", apart["f"], apart["df1"],
                            apart["df2"], apart["p"], None, None, None, _yes(apart["too_few"]),
                            apart["note"], apart["method"], apart["pattern"],
                        )  # fmt: skip


def _mcnemar_rows(dataset: str, sessions: dict[str, Any]) -> Iterator[tuple[object, ...]]:
    for session, tests in sessions.items():
        for reader, both in tests.items():
            for rule, one in _rules(both):
                yield (
                    dataset, "model vs reader", session, reader, "", "", "right answers, McNemar", rule,
                    one["ai_only"], one["reader_only"], None, None, None, "exact", None, None, None, one["exact_p"],
                    one["exact_p_holm"], None, None, "", one["note"], "mcnemar", None,
                )  # fmt: skip


def _ai_rows(
    dataset: str, session: str, group: str, tests: dict[str, Any], language: str
) -> Iterator[tuple[object, ...]]:
    for key, test in tests.items():
        for point, of_point in (
            ("Youden", test),
            ("first choice", test["argmax"]),
            ("fixed threshold", test["at_threshold"]),
        ):
            for rule, one in _rules(of_point) if of_point else ():
                margin = one["non_inferiority"] or {}
                yield (
                    dataset, "model vs readers", session, group, _name(key, language), key,
                    f"{test['figure_of_merit']}, {point}", rule, one["ai"], one["readers_mean"], one["difference"],
                    *_pair(one["ci"]), "t", one["t"], None, one["df"], one["p"], one["p_holm"],
                    margin.get("margin"), margin.get("p"), _yes(test["too_few"]), one["note"],
                    one["method"], one["pattern"],
                )  # fmt: skip


def design(report: dict[str, Any]) -> TidyTable:
    """How many photos each reader answered, skipped, never came to and was never shown, and the same of each photo
    that not everybody answered."""
    columns = ("dataset", "session", "kind", "name", *COUNTED, "note", "design", "blocks")
    rows: list[tuple[object, ...]] = []
    for dataset, found in report["datasets"].items():
        for session, one in found["design"].items():
            rows.append(
                (
                    dataset,
                    session,
                    "all",
                    "",
                    *(one[state] for state in COUNTED),
                    one["note"],
                    one["pattern"],
                    one["n_blocks"],
                )
            )
            for kind, names in (("reader", one["readers"]), ("photo", one["images"])):
                for name, counts in names.items():
                    rows.append(
                        (dataset, session, kind, name, *(counts[state] for state in COUNTED), "", None, None)
                    )
    return "design", columns, rows


def _rules(found: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """A test by either way to count missing answers."""
    yield "wrong", found
    if found[AS_READ] is not None:
        yield "as read", found[AS_READ]


def _yes(value: object) -> str:
    return "yes" if value else ""


def _sessions(report: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for dataset, found in report["datasets"].items():
        for session, one in found["sessions"].items():
            yield dataset, session, one


def _means(found: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    yield "mean", "all", found
    for group, one in found["groups"].items():
        yield "mean", group, one


def _name(key: str, language: str) -> str:
    return BY_KEY[key].name(language) if key else ""


def _given_result(answer: Answer | None, truth: str, by_design: bool) -> str:
    if answer is None:
        return "not assigned" if by_design else "never shown"
    if answer.kind:
        return RESULTS[answer.kind]
    if not answer.answer:
        return "skipped" if answer.reached else "not reached"
    return _result(answer.answer, truth)


def _result(answer: str, truth: str) -> str:
    return "right" if answer == truth else "wrong"


def _pair(ci: Sequence[float] | None) -> tuple[object, ...]:
    return (None, None) if ci is None else tuple(ci)
