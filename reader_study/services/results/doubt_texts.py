"""What looks like a mistake in a study's data, in one line each: for pages and for the console."""

from collections import Counter
from collections.abc import Mapping, Sequence

from reader_study.plots.study import disease_name
from reader_study.services.results import files_text
from reader_study.services.results.questions_text import endpoint_name
from reader_study.statistics import doubts
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext

_MOST_NAMED = 5


def texts(report: Mapping) -> list[str]:
    """All of a report, or none where nothing looks so. Of names that nearly match some, and how many more."""
    said, alike = [], Counter[str]()
    for one in report["doubts"]:
        if one["code"] == doubts.NAMES_ALIKE:
            alike[one["kind"]] += 1
            if alike[one["kind"]] > _MOST_NAMED:
                continue
        said.append(text_of(one))
    for kind, n in alike.items():
        if n > _MOST_NAMED:
            said.append(
                _("%(kind)s: %(n)d more nearly match.") % {"kind": _kinds()[kind], "n": n - _MOST_NAMED}
            )
    return said


def _kinds() -> dict[str, str]:
    return {
        "readers": _("Readers"), "sessions": _("Sessions"), "groups": _("Groups"), "datasets": _("Datasets"),
        "images": _("Images"), "patients": _("Patients"), "tests": _("Tests"), "cases": _("Cases"),
    }  # fmt: skip


def named(names: Sequence[str]) -> str:
    """The first of them."""
    return ", ".join(names[:_MOST_NAMED]) + (" …" if len(names) > _MOST_NAMED else "")


def text_of(doubt: Mapping) -> str:
    code = doubt["code"]
    if code == doubts.UNREAD:
        return files_text.note_text(doubt)
    if code == doubts.NAMES_ALIKE:
        names = ", ".join(f"“{name}”" for name in doubt["names"])
        return _("%(kind)s %(names)s are taken as different; are they the same?") % {
            "kind": _kinds()[doubt["kind"]], "names": names,
        }  # fmt: skip
    if code == doubts.NO_ENDPOINT:
        text = (
            _("The primary endpoint “%(name)s” is not evaluable: it was not asked in two sessions.")
            if doubt["of_sessions"]
            else _("The primary endpoint “%(name)s” is not evaluable: there are no scores of a model.")
        )
        return text % {"name": endpoint_name(doubt["endpoint"])}
    if code == doubts.LOW_CONFIDENCE:
        return (
            _("None of %(n)d confidences is above 1; they are read as from 0 to 100. Are they shares?")
            % doubt
        )
    if code == doubts.UNRATED:
        return ngettext(
            "%(n)d case has a truth and no rating, and counts nowhere (%(names)s).",
            "%(n)d cases have a truth and no rating, and count nowhere (%(names)s).",
            len(doubt["names"]),
        ) % {"n": len(doubt["names"]), "names": named(doubt["names"])}
    if code in (doubts.NO_FIRST_CHOICE, doubts.IN_PERCENT, doubts.COLUMNS_DIFFER):
        return _of_scores(doubt)
    said = {"dataset": doubt["dataset"], "diseases": ", ".join(map(disease_name, doubt["diseases"]))}
    if code == doubts.CONSTANT:
        return (
            _(
                "%(dataset)s: the scores of %(diseases)s are the same for every image, so nothing is compared of these."
            )
            % said
        )
    if code == doubts.REVERSED:
        return _(
            "%(dataset)s: the mean AUC is %(auc).3f, below chance; are the scores turned round, or beside other images?"
        ) % {**said, "auc": doubt["auc"]}
    return (
        _(
            "%(dataset)s: no threshold tells %(diseases)s apart; the Youden optimum is to list every image, or none."
        )
        % said
    )


def _of_scores(doubt: Mapping) -> str:
    code = doubt["code"]
    if code == doubts.NO_FIRST_CHOICE:
        return ngettext(
            "%(n)d image has the same score for every disease, so that its first choice says nothing (%(names)s).",
            "%(n)d images have the same score for every disease, so that their first choice says nothing (%(names)s).",
            len(doubt["names"]),
        ) % {"n": len(doubt["names"]), "names": named(doubt["names"])}
    if code == doubts.COLUMNS_DIFFER:
        return _(
            "Only the scores of %(diseases)s go beyond 1 (up to %(highest)s); are they percentages, and all others "
            "not? Every figure of the model takes them as they are."
        ) % {
            "diseases": ", ".join(map(disease_name, doubt["diseases"])), "highest": f"{doubt['highest']:g}",
        }  # fmt: skip
    said = {"percent": doubt["percent"], "shares": doubt["shares"], "names": ", ".join(doubt["images"])}
    if doubt["is_percent"]:
        return (
            _(
                # xgettext:no-python-format
                "The scores of %(percent)d images look like percentages, those of %(shares)d like shares from 0 "
                "to 1 (percentages: %(names)s …); every figure of the model takes them as they are."
            )
            % said
        )
    return (
        _(
            # xgettext:no-python-format
            "The scores of %(percent)d images look like percentages, those of %(shares)d like shares from 0 "
            "to 1 (shares: %(names)s …); every figure of the model takes them as they are."
        )
        % said
    )
