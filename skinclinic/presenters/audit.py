"""Rows of the audit in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, pgettext_lazy

from skinclinic.models import AuditEvent, Clinic
from skinclinic.presenters import audit_values
from skinclinic.services import audit_reading

Words = str | Promise
GROUPS: dict[str, Words] = {
    "looks": gettext_lazy("Looked at"),
    "files": gettext_lazy("Files, exports and prints"),
    "sign-ins": gettext_lazy("Signing in, accounts and tokens"),
    "people": gettext_lazy("Members and settings"),
    "changes": gettext_lazy("Made and changed"),
    "deletions": gettext_lazy("Deleted, restored, merged"),
    "archive": gettext_lazy("Archive and datasets"),
    "models": gettext_lazy("Models"),
    "studies": gettext_lazy("Studies"),
}
# An action that is missing here is shown as it is written.
ACTIONS: dict[str, Words] = {
    "account.name": gettext_lazy("Name changed"),
    "alarm": gettext_lazy("Out of the ordinary"),
    "analysis.retry": gettext_lazy("Failed analyses tried again"),
    "audit.export": gettext_lazy("Audit exported"),
    "audit.view": gettext_lazy("Audit looked at"),
    "backup.files": gettext_lazy("Missing files given back from a backup"),
    "backup.make": gettext_lazy("Backup made"),
    "backup.restore": gettext_lazy("Given back from a backup"),
    "bin.emptied": gettext_lazy("Deleted for good"),
    "bin.restored": gettext_lazy("Restored from the bin"),
    "bin.view": gettext_lazy("Looked at in the bin"),
    "change": gettext_lazy("Changed"),
    "comment.view": gettext_lazy("Comment read"),
    "dataset.export": gettext_lazy("Dataset exported"),
    "dataset.freeze": gettext_lazy("Dataset frozen"),
    "dataset.describe": gettext_lazy("Description of a dataset downloaded"),
    "dataset.texts": gettext_lazy("Export of pathology texts: reason given"),
    "diagnosis.make": gettext_lazy("Diagnosis recorded"),
    "diagnosis.view": gettext_lazy("Diagnosis read"),
    "diagnosis.withdraw": gettext_lazy("Diagnosis withdrawn"),
    "email.change": gettext_lazy("E-mail address changed"),
    "entry.view": gettext_lazy("Archive photo looked at"),
    "evaluation.fetch": gettext_lazy("Evaluation downloaded"),
    "evaluation.photos": gettext_lazy("Photos of an evaluation looked at"),
    "squares.suggest": gettext_lazy("Suggested squares asked for"),
    "explanation.ask": gettext_lazy("Another explanation asked for"),
    "file.infected": gettext_lazy("File with a virus refused"),
    "file.unscanned": gettext_lazy("File kept without a look by the virus scanner"),
    "heatmap.view": gettext_lazy("Heatmap looked at"),
    "import.done": gettext_lazy("Imported"),
    "import.received": gettext_lazy("Photos received by DICOM"),
    "import.undone": gettext_lazy("Import undone"),
    "import.fetch": gettext_lazy("Table of an import downloaded"),
    "invitation.make": gettext_lazy("Invited"),
    "invitation.revoke": gettext_lazy("Invitation revoked"),
    "lesion.change": gettext_lazy("Lesion changed"),
    "lesion.delete": gettext_lazy("Lesion moved to the bin"),
    "lesion.export": gettext_lazy("Case fetched as FHIR"),
    "lesion.make": gettext_lazy("Lesion opened"),
    "lesion.view": gettext_lazy("Lesion looked at"),
    "letter.print": gettext_lazy("Letter fetched"),
    "list.fetch": gettext_lazy("List fetched by a program"),
    "member.anonymise": gettext_lazy("Person who left forgotten"),
    "member.join": gettext_lazy("Became a member"),
    "member.make": gettext_lazy("Service account made"),
    "member.role": gettext_lazy("Role or access changed"),
    "model.add": gettext_lazy("Model added"),
    "model.refuse": gettext_lazy("Model refused"),
    "model.alarm": gettext_lazy("Alarm of the model in use"),
    "model.shadow": gettext_lazy("Candidate started in the shadow"),
    "model.shadow_stop": gettext_lazy("Candidate in the shadow stopped"),
    "model.follow": gettext_lazy("Record of the model in use begun"),
    "model.check_maps": gettext_lazy("Heatmaps of a model checked"),
    "model.make_features": gettext_lazy("Model had look at proven photos"),
    "model.export": gettext_lazy("Model made for other programs"),
    "model.export_delete": gettext_lazy("Model made for other programs deleted"),
    "model.fetch": gettext_lazy("Model downloaded"),
    "model.publish": gettext_lazy("Model published"),
    "model.roll_back": gettext_lazy("Model rolled back"),
    "monitor.fetch": gettext_lazy("Figures of the model in use downloaded"),
    "note.change": gettext_lazy("Note changed"),
    "note.view": gettext_lazy("Note read"),
    "opinion.photo": gettext_lazy("Photo looked at for a second opinion"),
    "opinion.view": gettext_lazy("Case looked at for a second opinion"),
    "password.change": gettext_lazy("Password changed"),
    "password.link": gettext_lazy("Link for a new password made"),
    "password.reset": gettext_lazy("New password set by a link"),
    "patient.change": gettext_lazy("Patient changed"),
    "patient.delete": gettext_lazy("Patient moved to the bin"),
    "patient.erase": gettext_lazy("Patient erased"),
    "patient.erase_again": gettext_lazy("Patient of a backup erased again"),
    "patient.launch": gettext_lazy("Opened from the record system"),
    "patient.make": gettext_lazy("Patient made"),
    "patient.match": gettext_lazy("Patient asked for by code"),
    "patient.merge": gettext_lazy("Merged with another patient"),
    "patient.view": gettext_lazy("Patient looked at"),
    "photo.change": gettext_lazy("Photo changed"),
    "photo.cover": gettext_lazy("Photo covered for good"),
    "photo.delete": gettext_lazy("Photo moved to the bin"),
    "photo.dicom": gettext_lazy("Photo fetched as DICOM"),
    "photo.send": gettext_lazy("Photo sent to an image archive"),
    "photo.give_back": gettext_lazy("Lost file of a photo stored again"),
    "photo.make": gettext_lazy("Photo stored"),
    "photo.open": gettext_lazy("Whole photo fetched"),
    "photo.remove": gettext_lazy("Photo deleted"),
    "photo.similar": gettext_lazy("Photos like it looked at"),
    "photo.view": gettext_lazy("Photo looked at"),
    "plan.view": gettext_lazy("Plan read"),
    "report.print": gettext_lazy("Report made"),
    "retention.run": gettext_lazy("Kept for its time and removed"),
    "second_factor.add": gettext_lazy("Second factor added"),
    "second_factor.remove": gettext_lazy("Second factor removed"),
    "second_factor.used_again": gettext_lazy("Code of a second factor came again"),
    "settings.change": gettext_lazy("Settings changed"),
    "settings.codes": gettext_lazy("Code changed"),
    "settings.record_system": gettext_lazy("Record system changed"),
    "sign_in": gettext_lazy("Signed in"),
    "sign_in.refused": gettext_lazy("Sign-in refused"),
    "sign_out": gettext_lazy("Signed out"),
    "sign_out.everywhere": gettext_lazy("Signed out everywhere"),
    "sign_out.there": gettext_lazy("Signed out on another device"),
    "symptoms.change": gettext_lazy("Symptoms changed"),
    "symptoms.view": gettext_lazy("Symptoms read"),
    "threshold.make": gettext_lazy("Thresholds stored"),
    "token.make": gettext_lazy("Token made"),
    "job.retry": gettext_lazy("Failed jobs tried again"),
    "job.stop": gettext_lazy("Job stopped"),
    "image_archive.make": gettext_lazy("Image archive added"),
    "image_archive.remove": gettext_lazy("Image archive removed"),
    "image_archive.test": gettext_lazy("Connection to an image archive tested"),
    "webhook.make": gettext_lazy("Webhook made"),
    "webhook.on": gettext_lazy("Webhook turned on"),
    "webhook.off": gettext_lazy("Webhook turned off"),
    "webhook.test": gettext_lazy("Webhook tested"),
    "webhook.again": gettext_lazy("Message of a webhook sent again"),
    "webhook.remove": gettext_lazy("Webhook removed"),
    "token.refused": gettext_lazy("Token refused"),
    "token.revoke": gettext_lazy("Token revoked"),
}
KINDS: dict[str, Words] = {
    "skinclinic.apitoken": gettext_lazy("Token"),
    "skinclinic.binitem": gettext_lazy("Bin"),
    "skinclinic.clinic": gettext_lazy("Clinic"),
    "skinclinic.diagnosis": gettext_lazy("Diagnosis"),
    "skinclinic.erasure": gettext_lazy("Erasure"),
    "skinclinic.document": gettext_lazy("Letter"),
    "skinclinic.invitation": gettext_lazy("Invitation"),
    "skinclinic.lesion": gettext_lazy("Lesion"),
    "skinclinic.member": gettext_lazy("Member"),
    "skinclinic.note": gettext_lazy("Note"),
    "skinclinic.patient": gettext_lazy("Patient"),
    "skinclinic.photo": gettext_lazy("Photo"),
    "skinclinic.recordsystem": gettext_lazy("Record system"),
    "skinclinic.retention": gettext_lazy("How long things are kept"),
    "skinclinic.secondopinion": gettext_lazy("Second opinion"),
    "skinclinic.symptoms": gettext_lazy("Symptoms"),
    "skinclinic.user": pgettext_lazy("audit", "Account"),
}


@dataclass(frozen=True)
class Line:
    """A row as the page shows it; ``patient``: its code now, or its number where it is gone."""

    event: AuditEvent
    what: str
    who: str
    how: str
    subject: str
    patient: str
    is_there: bool
    # Each with what it is called, before and after; a side of which the row tells nothing is None.
    changes: list[tuple[str, str | None, str | None]]
    facts: list[tuple[str, str]]


def lines(clinic: Clinic, events: Iterable[AuditEvent]) -> list[Line]:
    """The rows of a page; one query for all codes of patients."""
    rows = list(events)
    codes = audit_reading.codes_of(clinic, {row.patient_key for row in rows if row.patient_key})
    return [_line(row, codes) for row in rows]


def who(row: Mapping[str, Any]) -> str:
    """A person by the name of then, or what acted without one."""
    return row["user_name"] or row["via_name"] or str(dict(AuditEvent.Via.choices).get(row["via"], ""))


def action(text: str) -> str:
    return str(ACTIONS.get(text, text))


def _line(row: AuditEvent, codes: Mapping[int, str]) -> Line:
    key = row.patient_key
    before, after = (told if isinstance(told, dict) else {} for told in (row.before, row.after))
    name = who({"user_name": row.user_name, "via": row.via, "via_name": row.via_name})
    how = [str(row.get_via_display())] if row.via != AuditEvent.Via.SESSION else []
    how += [text for text in (row.via_name if row.user_name else "", row.address) if text]
    return Line(
        row,
        action(row.action),
        name,
        " · ".join(text for text in how if text != name),
        _subject(row),
        codes.get(key, f"#{key}") if key else "",
        key in codes,
        [
            (
                audit_values.word(row.subject_kind, one),
                audit_values.said(row.subject_kind, one, before.get(one)) if before else None,
                audit_values.said(row.subject_kind, one, after.get(one)) if after else None,
            )
            for one in sorted({*before, *after})
            # What stayed as it was is no change.
            if not (before and after and before.get(one) == after.get(one))
        ],
        [
            (audit_values.word("", one), audit_values.said(row.subject_kind, one, value))
            for one, value in row.facts.items()
            if value not in (None, "", {}, [])
        ],
    )


def _subject(row: AuditEvent) -> str:
    if not row.subject_kind or row.subject_kind == "skinclinic.patient":
        return ""
    kind = str(KINDS.get(row.subject_kind) or _verbose(row.subject_kind))
    return f"{kind}: {row.subject_name}" if row.subject_name else f"{kind} {row.subject_key or ''}".strip()


def _verbose(kind: str) -> str:
    try:
        return str(apps.get_model(kind)._meta.verbose_name)
    except (LookupError, ValueError):  # of a software that was removed
        return kind
