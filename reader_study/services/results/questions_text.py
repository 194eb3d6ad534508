"""What the methods say of the questions of all diseases, and what endpoints are called."""

from collections.abc import Iterator, Mapping

from django.utils.translation import gettext as _

from reader_study.plots.study import disease_name
from reader_study.services.results.headlines import question_name, strata_text
from reader_study.statistics.endpoints import BETWEEN_SESSIONS, ENDPOINTS, MANAGEMENT, OF_MODEL


def endpoint_name(key: str) -> str:
    """A disease, or a question of all diseases."""
    if key in OF_MODEL:
        return question_name(key)
    if key in BETWEEN_SESSIONS:
        return _("%(question)s between sessions") % {"question": question_name(BETWEEN_SESSIONS[key])}
    return disease_name(key)


def endpoint_choices() -> list[tuple[str, str]]:
    """Everything that can be a primary endpoint, with its name."""
    return [(key, endpoint_name(key)) for key in ENDPOINTS]


def sentences(report: Mapping) -> Iterator[str]:
    """Which questions there are and how they are answered."""
    yield _(
        "Overall accuracy is the share of photos named rightly. Malignant or benign was taken from the disease that "
        "was named; its balanced accuracy is the mean of sensitivity and specificity."
    )
    if any(one["skipped"] or one["not_reached"] for one in report["design"].values()):
        yield _("What was not answered is wrong there, be the photo malignant or benign.")
    parts = list(report["datasets"].values())
    if any(MANAGEMENT in found["questions"] for found in parts):
        yield _("A biopsy counts as right for what is malignant, anything else as right for what is benign.")
    if text := strata_text(report):
        yield text
        yield _("From datasets together nothing is concluded.")
    if any(_clustered(found) for found in parts):
        yield _(
            "Some patients have several photos: intervals that count patients as the independent cases, and their "
            "design effect, stand beside."
        )


def _clustered(found: Mapping) -> bool:
    return any(one["auc_by_patient"] for one in found["diseases"].values()) or any(
        test["by_patient"]
        for question in found["questions"].values()
        for kind in ("ai_vs_readers", "compare")
        for tests in question[kind].values()
        for test in tests["all"].values()
    )
