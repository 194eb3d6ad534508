"""Patients under their codes, and lesions."""

from classifier.presenters.fhir.rows import updated_of
from classifier.presenters.fhir.teller import Teller
from skinclinic.fhir.parts import Json, concept, hl7, reference, resource
from skinclinic.models import Lesion, Patient
from skinclinic.vocabulary.codes import FINDING, SITE
from skinclinic.vocabulary.codes import name as name_of
from skinclinic.vocabulary.sites import name as site_name


def code_system(base: str, slug: str) -> str:
    """The URI of a clinic's patient codes."""
    return f"{base}/NamingSystem/patient-code-{slug}"


def patient(row: Patient, teller: Teller) -> Json:
    """A patient under the pseudonymous code, and the codes of those merged into it: no name, no day of birth."""
    system = code_system(teller.base, row.clinic.slug)
    former = [one.code for one in row.former_codes.all()]
    return resource(
        "Patient", row.pk, updated_of(row),
        meta={"security": [hl7("v3-ObservationValue", "PSEUDED", "pseudonymized")]},
        identifier=[
            {"use": "usual", "system": system, "value": row.code},
            *({"use": "old", "system": system, "value": code} for code in former),
        ],
        active=True,
        gender=row.sex,
        birthDate=f"{row.birth_year:04d}" if row.birth_year else None,
    )  # fmt: skip


def body_structure(row: Lesion, teller: Teller) -> Json:
    """A lesion of a patient."""
    table = teller.codes(row.clinic_id)
    morphology = [code.coding() for code in table.of(FINDING, "skin_lesion")]
    site = [code.coding() for code in table.of(SITE, row.site)]
    cover = [{"contentType": "image/jpeg", "url": f"{teller.base}/Binary/photo-{row.cover_id}"}]
    return resource(
        "BodyStructure", row.pk, updated_of(row),
        identifier=[{"system": f"{teller.base}/NamingSystem/lesion", "value": str(row.pk)}],
        active=True,
        morphology=concept(name_of(FINDING, "skin_lesion"), *morphology),
        location=concept(site_name(row.site), *site) if row.site else None,
        description=row.note,
        image=cover if row.cover_id else [],
        patient=reference("Patient", row.patient_id),
    )  # fmt: skip
