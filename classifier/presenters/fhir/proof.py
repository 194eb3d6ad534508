"""The pathology of a lesion."""

from classifier.presenters.fhir.teller import Teller
from skinclinic.fhir.parts import Json, concept, hl7, instant, resource
from skinclinic.models import Diagnosis
from skinclinic.vocabulary import spoken
from skinclinic.vocabulary.codes import DISEASE, PROCEDURE, SYSTEMS


def pathology(row: Diagnosis, teller: Teller) -> Json:
    """What was recorded as pathology. One that was withdrawn stays, as entered in error."""
    table = teller.codes(row.clinic_id)
    coded = [code.coding() for code in table.of(DISEASE, row.disease)] if row.disease else []
    icd10 = SYSTEMS["ICD-10"].uri
    if row.icd10:
        # What the person has recorded, which may be closer by site than the disease's own.
        coded = [one for one in coded if one["system"] != icd10] + [{"system": icd10, "code": row.icd10}]
    method = []
    if row.confirmed_by == Diagnosis.ConfirmedBy.HISTOPATHOLOGY:
        method = [code.coding() for code in table.of(PROCEDURE, "histopathology")]
    said = str(row.get_confirmed_by_display())
    return resource(
        "Observation", key_of(row), row.withdrawn_at or row.created_at,
        status="entered-in-error" if row.withdrawn_at else "final",
        category=[concept("", hl7("observation-category", "laboratory", "Laboratory"))],
        code=teller.own("pathology", str(Diagnosis.Kind.PATHOLOGY.label)),
        subject=teller.subject(row.lesion),
        focus=[teller.structure(row.lesion)],
        effectiveDateTime=row.diagnosed_on.isoformat() if row.diagnosed_on else instant(row.created_at),
        issued=instant(row.created_at),
        valueCodeableConcept=concept(spoken.diagnosis(row), *coded),
        bodySite=teller.body_site(row.lesion),
        method=concept(said, *method) if said else None,
    )  # fmt: skip


def key_of(row: Diagnosis) -> str:
    """The id of its Observation."""
    return f"pathology-{row.pk}"
