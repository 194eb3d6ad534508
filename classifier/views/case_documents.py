"""Reports on a lesion and a patient as PDF, and letters to the referrer: drafted, edited, kept, fetched again."""

from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from classifier.plots import case_pdf, letter_pdf
from classifier.presenters import case_report, case_words, letter_draft
from classifier.services.analysis.case_story import Story, story_of
from skinclinic.models import Clinic, Document, Lesion, Member, Patient, Photo
from skinclinic.permissions import EDIT, get_for, member_of
from skinclinic.services import documents, language_marks, worklist
from skinclinic.services.patients import lesions_of
from skinclinic.services.refused import Refused
from skinclinic.web.requests import SignedInRequest

# Up to so many lesions a letter is about all of them unless something else is chosen.
FEW = 5
LONGEST = {"recipient": 400, "subject": 200, "body": 12_000, "signed": 200}


@dataclass(frozen=True)
class Chosen:
    """What a letter is to be about."""

    lesions: list[int]
    language: str
    tells_model: bool


@never_cache
@require_POST
def lesion_report(request: SignedInRequest, pk: int) -> HttpResponse:
    """The report on lesion ``pk`` over time. Who made it is kept."""
    lesion = get_for(request.user, Lesion.objects.select_related("patient", "clinic"), pk, EDIT)
    member, language = member_of(request.user, lesion.clinic_id), _language(lesion.clinic)
    with override(language):
        content = case_pdf.build_pdf(case_report.lesion_report(request.user, member, lesion))
    documents.note_report(
        Document.Kind.LESION,
        request.user,
        language=language,
        tells_model=True,
        patient=lesion.patient,
        lesion=lesion,
    )
    return _pdf(content, f"lesion-{lesion.pk}.pdf")


@never_cache
@require_POST
def patient_report(request: SignedInRequest, pk: int) -> HttpResponse:
    """The report on patient ``pk`` with all lesions. Who made it is kept."""
    patient = get_for(request.user, Patient, pk, EDIT)
    member, language = member_of(request.user, patient.clinic_id), _language(patient.clinic)
    lesions = list(lesions_of(patient))
    with override(language):
        content = case_pdf.build_pdf(case_report.patient_report(request.user, member, patient, lesions))
    documents.note_report(
        Document.Kind.PATIENT, request.user, language=language, tells_model=True, patient=patient
    )
    return _pdf(content, f"patient-{patient.pk}.pdf")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def letter_new(request: SignedInRequest, pk: int) -> HttpResponse:
    """Write a letter on patient ``pk``: a draft from what is recorded, of the ``lesions`` chosen, to be edited; sent,
    it is kept."""
    patient = get_for(request.user, Patient, pk, EDIT)
    member = member_of(request.user, patient.clinic_id)
    lesions = list(lesions_of(patient))
    if request.method != "POST":
        chosen = _chosen(request, patient, lesions)
        return _letter_page(
            request, patient, lesions, chosen, _draft(request, member, patient, lesions, chosen)
        )
    language = request.POST.get("language", "")
    language = language if language in dict(settings.LANGUAGES) else _language(patient.clinic)
    chosen = Chosen([], language, request.POST.get("model") == "1")
    typed = {name: request.POST.get(name, "") for name in LONGEST}
    labels = {
        "recipient": _("Recipient"),
        "subject": _("Subject"),
        "body": _("Text"),
        "signed": _("Signed by"),
    }
    try:
        kept = {name: documents.checked(typed[name], LONGEST[name], name, labels[name]) for name in LONGEST}
    except Refused as refused:
        wrong = {"field": refused.field, "words": str(refused)}
        return _letter_page(request, patient, lesions, chosen, typed, wrong=wrong, status=422)
    documents.make_letter(patient, request.user, **kept, language=language, tells_model=chosen.tells_model)
    messages.success(request, _("The letter is kept with the patient and can be fetched below."))
    return redirect(reverse("patient", args=[pk]) + "#documents")


@never_cache
@require_safe
def letter(request: SignedInRequest, pk: int) -> HttpResponse:
    """A letter as it was made, as PDF."""
    row = get_for(request.user, Document.objects.filter(kind=Document.Kind.LETTER), pk)
    _require_own_look(request, row)
    said = row.content
    with override(row.language):
        paper = letter_pdf.Paper(
            letterhead=case_report.paper_of(said["letterhead"]),
            recipient=said["recipient"],
            date=case_words.day(timezone.localdate(row.made_at)),
            subject=said["subject"],
            body=said["body"],
            signed=said["signed"],
            footer=language_marks.marked(said["letterhead"]["name"]),
            page_word=_("Page"),
        )
    return _pdf(letter_pdf.build_pdf(paper), f"letter-{row.pk}.pdf")


def _require_own_look(request: SignedInRequest, row: Document) -> None:
    """A letter tells its author's diagnosis, and may tell the model's answer: not before somebody's own impression."""
    if row.made_by_id == request.user.pk:
        return
    member = member_of(request.user, row.clinic_id)
    shown = Photo.objects.filter(lesion__patient=row.patient_id).values_list("pk", flat=True)
    if worklist.hidden_answers(request.user, member, shown):
        raise PermissionDenied(
            _("This letter can be read once your own impressions of the patient are recorded.")
        )


def _chosen(request: SignedInRequest, patient: Patient, lesions: list[Lesion]) -> Chosen:
    asked = set(request.GET.getlist("lesions"))
    language = request.GET.get("language", "")
    if "chosen" in request.GET:
        wanted = [lesion.pk for lesion in lesions if str(lesion.pk) in asked]
    else:
        wanted = [lesion.pk for lesion in lesions if len(lesions) <= FEW or not lesion.to_decide]
    return Chosen(
        wanted,
        language if language in dict(settings.LANGUAGES) else _language(patient.clinic),
        request.GET.get("model") == "1",
    )


def _draft(
    request: SignedInRequest, member: Member, patient: Patient, lesions: list[Lesion], chosen: Chosen
) -> dict[str, str]:
    stories: list[Story] = [
        story_of(request.user, member, lesion) for lesion in lesions if lesion.pk in chosen.lesions
    ]
    with override(chosen.language):
        return {
            "recipient": patient.referrer,
            "subject": letter_draft.subject(patient),
            "body": letter_draft.body(patient, stories, tells_model=chosen.tells_model),
            "signed": f"{request.user}\n{patient.clinic.name}",
        }


def _letter_page(
    request: SignedInRequest,
    patient: Patient,
    lesions: list[Lesion],
    chosen: Chosen,
    typed: dict[str, str],
    *,
    wrong: dict[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "patient": patient,
        "lesions": lesions,
        "chosen": chosen,
        "typed": typed,
        "longest": LONGEST,
        "wrong": wrong,
        "languages": settings.LANGUAGES,
        "has_letterhead": bool(patient.clinic.letter_address),
        "may_set": member_of(request.user, patient.clinic_id).is_admin,
    }
    return render(request, "documents/letter.html", context, status=status)


def _language(clinic: Clinic) -> str:
    """That of the clinic's letters; where none is set, the reader's."""
    return clinic.letter_language or get_language() or "en"


def _pdf(content: bytes, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'inline; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(content, content_type="application/pdf", headers=headers)
