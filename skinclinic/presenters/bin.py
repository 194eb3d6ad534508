"""What lies in the bin, in words."""

from collections.abc import Mapping

from django.urls import reverse

from skinclinic.models import BinItem, Lesion, Patient
from skinclinic.services.binning.restoring import Restored
from skinclinic.vocabulary.sites import SITES
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext


def counted(counts: Mapping[str, int]) -> list[str]:
    """What goes along, one line each."""
    words = {
        "lesions": lambda n: ngettext("%(n)d lesion", "%(n)d lesions", n),
        "photos": lambda n: ngettext("%(n)d photo with its analyses", "%(n)d photos with their analyses", n),
        "decisions": lambda n: ngettext("%(n)d decision", "%(n)d decisions", n),
        "impressions": lambda n: ngettext("%(n)d impression", "%(n)d impressions", n),
        "pathologies": lambda n: ngettext("%(n)d pathology", "%(n)d pathologies", n),
        "plans": lambda n: ngettext(
            "%(n)d follow-up or biopsy under way", "%(n)d follow-ups or biopsies under way", n
        ),
        "notes": lambda n: ngettext("%(n)d note or visit", "%(n)d notes or visits", n),
        "sizes": lambda n: ngettext("%(n)d measurement", "%(n)d measurements", n),
        "comments": lambda n: ngettext("%(n)d comment", "%(n)d comments", n),
        "opinions": lambda n: ngettext("%(n)d second opinion", "%(n)d second opinions", n),
        "documents": lambda n: ngettext("%(n)d report or letter", "%(n)d reports and letters", n),
    }
    return [words[name](counts[name]) % {"n": counts[name]} for name in words if counts.get(name)]


def named(item: BinItem) -> str:
    """What it is: patient, place, file; what is not said is left out."""
    told = item.told
    if item.kind == BinItem.Kind.MERGE:
        return _("%(code)s, merged into %(into)s") % told if told else ""
    parts = [
        told.get("code") or (_("no patient yet") if told and item.kind != BinItem.Kind.PATIENT else ""),
        str(dict(SITES).get(told.get("site", ""), "")),
        told.get("name", ""),
    ]
    return " · ".join(part for part in parts if part)


def where_it_was(item: BinItem) -> tuple[str, str]:
    """The page of what it belonged to, or of the list, and what leads there."""
    if item.lesion_key and Lesion.objects.filter(pk=item.lesion_key, clinic=item.clinic_id).exists():
        return reverse("lesion", args=[item.lesion_key]), _("To the lesion")
    patient = item.into_id or item.patient_key
    if patient and Patient.objects.filter(pk=patient, clinic=item.clinic_id).exists():
        return reverse("patient", args=[patient]), _("To the patient")
    if item.kind == BinItem.Kind.PATIENT:
        return reverse("patients"), _("To the patients")
    return reverse("worklist"), _("To the worklist")


def page_of(item: BinItem) -> str:
    """Where it is after it was restored."""
    name = {"photo": "photo", "lesion": "lesion"}.get(item.kind, "patient")
    return reverse(name, args=[item.key])


def not_back(restored: Restored) -> list[str]:
    """What does not come back by itself, one message each."""
    said = []
    if restored.stays:
        said.append(_("This is not taken back by itself:") + " " + " ".join(restored.stays))
    if n := restored.lost:
        text = ngettext(
            "%(n)d row did not come back, because what it belonged to is gone.",
            "%(n)d rows did not come back, because what they belonged to is gone.",
            n,
        )
        said.append(text % {"n": n})
    return said
