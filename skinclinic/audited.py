"""What of patients, people and files is written down when it is looked at."""

from skinclinic.web.looks import fetched, register, view


def _file(request) -> str:
    # In the size of a screen it is part of looking at the photo.
    return "photo.view" if request.GET.get("for") == "screen" else "photo.open"


PATIENT, LESION, PHOTO = view("patient.view"), view("lesion.view"), view("photo.view")
register(
    {
        "audit": view("audit.view"), "audit-csv": fetched("audit.export", "person", "group", "day"),
        "patient-seen": view("audit.view"),
        "patient": PATIENT, "patient-edit": PATIENT, "patient-photos": PATIENT, "patient-merge": PATIENT,
        "patient-delete": PATIENT, "patient-erase": PATIENT, "patient-history": PATIENT, "patient-notes": PATIENT,
        "lesion-new": PATIENT, "bin-erase": view("bin.view"),
        "lesion": LESION, "lesion-edit": LESION, "lesion-delete": LESION, "lesion-visit": LESION,
        "lesion-pathology": LESION, "lesion-symptoms": LESION, "lesion-notes": LESION, "lesion-size": LESION,
        "lesion-comments": LESION, "lesion-opinion-new": LESION, "lesion-follow-up": LESION,
        "lesion-biopsy": LESION, "lesion-alignment": LESION, "note": view("note.view"),
        "photo-filing": PHOTO, "photo-delete": PHOTO, "photo-size": PHOTO, "photo-image": view(_file),
        "photo-archive": PHOTO, "photo-dicom": fetched("photo.dicom", of_care=True),
        "bin-item": view("bin.view"),
        "api-patient-detail": PATIENT, "api-lesion-detail": LESION, "api-lesion-sizes": LESION,
        "api-note-detail": view("note.view"), "api-symptoms-detail": view("symptoms.view"),
        "api-diagnosis-detail": view("diagnosis.view"), "api-comment-detail": view("comment.view"),
        "api-follow-up-detail": view("plan.view"), "api-biopsy-detail": view("plan.view"),
        "api-bin-detail": view("bin.view"),
        "api-photo-detail": PHOTO, "api-photo-squares": PHOTO, "api-photo-image": view(_file),
        **{
            f"api-{name}-list": fetched("list.fetch", "page_size", "cursor")
            for name in ("patient", "lesion", "photo", "diagnosis", "note", "symptoms", "comment", "follow-up",
                         "biopsy", "bin", "member")
        },
    }
)  # fmt: skip
