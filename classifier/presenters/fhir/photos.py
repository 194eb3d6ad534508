"""Photos and other files."""

import base64

from django.utils.translation import gettext as _

from classifier.presenters.fhir.teller import Teller, taken
from skinclinic.fhir.parts import Json, concept, hl7, instant, note, reference, resource
from skinclinic.models import Lesion, Photo
from skinclinic.vocabulary.codes import PROCEDURE


def media(row: Photo, teller: Teller) -> Json:
    """A photo; its pixels are the Binary that ``content`` leads to. The name of the file stays here: it may name
    somebody."""
    how = "dermoscopy" if row.kind == Photo.Kind.DERMOSCOPIC else "photography"
    modality = [code.coding() for code in teller.codes(row.clinic_id).of(PROCEDURE, how)]
    said = _("Synthetic photo: drawn by a computer, no patient") if row.is_synthetic else ""
    return resource(
        "Media", row.pk, row.created_at,
        identifier=[{"system": f"{teller.base}/NamingSystem/photo", "value": str(row.pk)}],
        status="completed",
        type=concept("", hl7("media-type", "image", "Image")),
        modality=concept(str(row.get_kind_display()), *modality),
        subject=teller.subject(row.lesion),
        createdDateTime=taken(row),
        issued=instant(row.created_at),
        bodySite=teller.body_site(row.lesion),
        width=row.width,
        height=row.height,
        content={"contentType": "image/jpeg", "url": f"{teller.base}/Binary/photo-{row.pk}"},
        note=note(said),
    )  # fmt: skip


def binary(name: str, content_type: str, content: bytes, lesion: Lesion) -> Json:
    """A file as a resource: ``name`` is its id."""
    whose = reference("Patient", lesion.patient_id) if lesion.patient_id else None
    data = base64.b64encode(content).decode()
    made = resource("Binary", name, None, contentType=content_type, securityContext=whose, data=data)
    made.pop("meta", None)
    return made
