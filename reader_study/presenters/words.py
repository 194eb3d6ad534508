"""Events, amendments and recipes in words."""

from django.urls import reverse
from django.utils.translation import gettext_lazy

from reader_study.models import Allocation, Study, StudyEvent
from reader_study.services.making import arms, opening
from skinclinic.templatetags.ui import TIERS, disease_name
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext

FIELDS = {
    "description": gettext_lazy("What it is to find out"),
    "instructions": gettext_lazy("Instructions"),
    "instructions_in": gettext_lazy("Instructions in further languages"),
    "consent_text": gettext_lazy("Consent"),
    "consent_in": gettext_lazy("Consent in further languages"),
    "ends_on": gettext_lazy("Answers are wanted by"),
    "readers": gettext_lazy("Readers"),
    "registration": gettext_lazy("Registration number"),
    "ethics": gettext_lazy("Ethics approval"),
    "funding": gettext_lazy("Funding"),
    "contact": gettext_lazy("Contact"),
}
LEFT_OUT = {
    "other_disease": gettext_lazy("another disease than the twelve"),
    "deleted": gettext_lazy("deleted from the archive"),
    "rejected": gettext_lazy("rejected in the archive"),
    "consent": gettext_lazy("consent missing or withdrawn"),
    "covered": gettext_lazy("covered for good since the dataset was frozen"),
    "several": gettext_lazy("several lesions in one photo: readers could not know which is meant"),
    "seen": gettext_lazy(
        "the model was trained on the photo, one that looks alike, its lesion or its patient"
    ),
    "unproven": gettext_lazy("not biopsy-proven"),
    "taken_out": gettext_lazy("taken out by you"),
    "file": gettext_lazy("file gone"),
}


def place(where: str, study: Study) -> str:
    """The address of the page that mends a point."""
    page = {
        opening.SAMPLE: "study-sample",
        opening.SETTINGS: "study-settings",
        opening.READERS: "study-readers",
    }
    if where in page:
        return reverse(page[where], args=[study.pk])
    return reverse("study", args=[study.pk]) + "#model"


def group_name(group: str) -> str:
    """A disease, a tier or the practice photos, in words."""
    if group == "practice":
        return _("Practice photos")
    return str(TIERS[group][1]) if group in TIERS else disease_name(group)


def left_out(counts: dict[str, int]) -> list[tuple[str, int]]:
    """Reasons in words with their numbers, in a fixed order."""
    return [(str(word), counts[reason]) for reason, word in LEFT_OUT.items() if counts.get(reason)]


def reasons() -> dict[str, str]:
    """Why photos are not drawn, in words."""
    return {reason: str(word) for reason, word in LEFT_OUT.items()}


def amendment(event: StudyEvent) -> dict:
    """An amendment with its fields in words: {at, by, reason, changes: [(field, before, after)]}."""
    changes = [
        (str(FIELDS.get(name, name)), _shown(before), _shown(after))
        for name, (before, after) in event.details.items()
    ]
    return {"at": event.at, "by": event.by, "reason": event.reason, "changes": changes}


def _shown(value) -> str:
    if isinstance(value, dict):
        value = "\n\n".join(f"{language}: {text}" for language, text in value.items() if text)
    return _("nothing") if value in (None, "") else str(value)


def event(row: StudyEvent) -> str:
    """What a line of the log says besides its kind, reader and reason."""
    found = row.details
    match row.kind:
        case StudyEvent.Kind.DRAWN if "seed" in found:
            n = found.get("photos", 0)
            text = ngettext("%(n)d photo, seed %(seed)d", "%(n)d photos, seed %(seed)d", n)
            return text % {"n": n, "seed": found["seed"]}
        case StudyEvent.Kind.DRAWN:
            words = _("a photo of %(disease)s was replaced") if found.get("replaced_by") else _(
                "a photo of %(disease)s was taken out"
            )  # fmt: skip
            return words % {"disease": disease_name(found.get("disease", ""))}
        case StudyEvent.Kind.OPENED:
            return f"SHA-256 {found.get('protocol_sha256', '')}"
        case StudyEvent.Kind.AMENDED:
            return "; ".join(
                f"{name}: {before[:80]} → {after[:80]}" for name, before, after in amendment(row)["changes"]
            )
        case StudyEvent.Kind.CLOSED:
            names = ", ".join(found.get("unfinished", [])[:50])
            return _("Not finished: %(names)s") % {"names": names} if names else _("Everybody had finished.")
        case StudyEvent.Kind.REMINDED:
            return _("by e-mail") if found.get("mailed") else _("by hand")
        case StudyEvent.Kind.ANSWERS_IMPORTED:
            n = found.get("written", 0)
            return ngettext("%d answer from paper", "%d answers from paper", n) % n
        case StudyEvent.Kind.ANSWER_REFUSED:
            n = found.get("n", 1)
            return ngettext("%d answer came too late", "%d answers came too late", n) % n
        case StudyEvent.Kind.INVITED | StudyEvent.Kind.ALLOCATED:
            return _enrolled(found)
    return _of_reader(row)


def _of_reader(row: StudyEvent) -> str:
    """The same of what readers did themselves, of their days, and of photos that leave them."""
    found = row.details
    match row.kind:
        case StudyEvent.Kind.WITHDRAWN if "by_reader" in found:
            if found["by_reader"] == "refused":
                return _("by the reader, who did not consent")
            return _("by the reader")
        case StudyEvent.Kind.TAKEN_OUT:
            return ", ".join(f"{number:03d}" for number in found.get("photos", []))
        case StudyEvent.Kind.CONSENTED:
            return _("text %(version)s") % {"version": found.get("version", "")}
        case StudyEvent.Kind.DEADLINE:
            return ", ".join(
                filter(None, [found.get("day") or _("none of their own"), found.get("whom", "")])
            )
    return _of_protocol(row.kind, found)


def _enrolled(found: dict) -> str:
    """A reader's code, the place of the list that the reader got, and who the reader was before."""
    again = _("invited anew, before: %(code)s") % {"code": found["again"]} if "again" in found else ""
    return " · ".join(filter(None, [found.get("code", ""), _allocated(found), again]))


def _allocated(found: dict) -> str:
    if "place" not in found:
        return ""
    place = Allocation(place=found["place"], arm=found["arm"], blocks=found["blocks"])
    return _("place %(n)d: %(arm)s") % {"n": place.place, "arm": arms.name_of(place)}


def _of_protocol(kind: str, found: dict) -> str:
    """Thresholds fixed after opening, votes of the panel."""
    if kind == StudyEvent.Kind.THRESHOLDS:
        kept = found["thresholds"]
        if not kept["name"]:
            return _("From now on readers are shown scores without thresholds, whatever sets are made later.")
        said = _("From now on readers are shown “%(name)s” as it is today, whatever sets are made later.")
        return said % {"name": kept["name"]}
    if kind != StudyEvent.Kind.PANEL:
        return ""
    if n := found.get("took_over"):
        return ngettext("%d diagnosis taken over", "%d diagnoses taken over", n) % n
    if n := found.get("forgotten"):
        return ngettext("%d vote thrown away", "%d votes thrown away", n) % n
    return ngettext("%d vote", "%d votes", n := found.get("votes", 0)) % n
