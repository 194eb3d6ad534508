"""One action on many photos in words: what was asked, and what became of the photos."""

from django.utils.translation import get_language, pgettext

from skinclinic.archive import labels
from skinclinic.archive.models import BulkChange, RejectReason
from skinclinic.archive.services.bulk import gathering
from skinclinic.models import Diagnosis
from skinclinic.vocabulary import tags
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext

Action = BulkChange.Action


def said(row: BulkChange) -> str:
    """What is done to the photos."""
    values = row.values
    if row.action == Action.UNDO:
        return _("Undo: %(what)s") % {"what": said(row.of) if row.of else "–"}
    if row.action == Action.ACCEPT:
        return _("Accept")
    if row.action == Action.REJECT:
        return _("Reject: %(reason)s") % {"reason": RejectReason(values["reason"]).label}
    if row.action == Action.RELABEL:
        return _("New label: %(label)s") % {"label": labels.name(values["label"], get_language() or "en")}
    if row.action in (Action.TAG, Action.UNTAG):
        named = ", ".join(tags.name(key) for key in values["tags"])
        return (_("Tag: %(tags)s") if row.action == Action.TAG else _("Take away: %(tags)s")) % {
            "tags": named
        }
    text = _("Add to %(dataset)s") if row.action == Action.ADD else _("Take out of %(dataset)s")
    return text % {"dataset": values.get("dataset", "–")}


def told(row: BulkChange) -> list[str]:
    """What became of the photos, each with its number."""
    lines = [ngettext("%(n)d photo changed", "%(n)d photos changed", row.changed) % {"n": row.changed}]
    if row.same:
        lines.append(ngettext("%(n)d was so already", "%(n)d were so already", row.same) % {"n": row.same})
    if row.left:
        text = ngettext(
            "%(n)d left alone, changed by somebody meanwhile",
            "%(n)d left alone, changed by somebody meanwhile",
            row.left,
        )
        lines.append(text % {"n": row.left})
    return lines


def facts(row: BulkChange) -> list[tuple[str, str]]:
    """What else belongs to it: (name, value)."""
    values, found = row.values, []
    if row.action == Action.RELABEL:
        fields = values["fields"]
        proof = dict(Diagnosis.ConfirmedBy.choices).get(fields["confirmed_by"])
        found = [
            (_("Why"), values["note"]),
            (_("Proof of the new label"), str(proof or _("Not proven"))),
            (_("ICD-10"), fields["icd10"] or "–"),
        ]
    if gathering.UNTIL in values:
        said = _("When the work began, among the photos that were in the archive when it was asked for")
        found.append((pgettext("of photos", "Gathered"), said))
    if row.version_id and row.changed and row.action != Action.UNDO:
        found.append((_("Split"), _("A dataset that was split must be split again.")))
    return found
