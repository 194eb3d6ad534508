"""An answer of a model as Structured Report: a Measurement Report (TID 1500) in a Comprehensive SR.

Each disease has a group (TID 1410) with its score as a probability, the square it is of, and whether it is listed by
the thresholds in use. Which model it was, and on what it was trained and validated, stands beside every score; the
report is unverified, and says before anything else that it does not diagnose.
"""

import numpy as np
from highdicom.sr import (
    AlgorithmIdentification,
    CodedConcept,
    ComprehensiveSR,
    DeviceObserverIdentifyingAttributes,
    FindingSite,
    GraphicTypeValues,
    ImageRegion,
    Measurement,
    MeasurementReport,
    ObservationContext,
    ObserverContext,
    PlanarROIMeasurementsAndQualitativeEvaluations,
    QualitativeEvaluation,
    RelationshipTypeValues,
    SourceImageForRegion,
    TextContentItem,
    TrackingIdentifier,
)
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes as dictionary
from pydicom.uid import ExplicitVRLittleEndian

from skinclinic.dicom import codes, objects
from skinclinic.dicom.answers import NO_DIAGNOSIS, Answer
from skinclinic.dicom.facts import PhotoFacts


def report(facts: PhotoFacts, answer: Answer, source: Dataset) -> objects.Made:
    """The answer to the photo whose object is ``source``."""
    device = DeviceObserverIdentifyingAttributes(
        uid=facts.uid("device"),
        name="SkinClinic",
        manufacturer_name=objects.MANUFACTURER,
        model_name=answer.model[:64],
    )
    context = ObservationContext(
        observer_device_context=ObserverContext(
            observer_type=dictionary.DCM.Device, observer_identifying_attributes=device
        )
    )
    content = MeasurementReport(
        observation_context=context,
        procedure_reported=_code(facts.procedure_code or codes.PHOTOGRAPHY),
        imaging_measurements=_groups(facts, answer, source),
    )
    for text in (NO_DIAGNOSIS, *([answer.set_aside] if answer.set_aside else [])):
        content[0].ContentSequence.append(
            TextContentItem(
                name=_code(codes.COMMENT), value=text, relationship_type=RelationshipTypeValues.CONTAINS
            )
        )
    made = ComprehensiveSR(
        evidence=[source], content=content, series_instance_uid=facts.series("report"),
        series_number=objects.SERIES_NUMBERS["report"], sop_instance_uid=facts.study, instance_number=answer.analysis,
        manufacturer=objects.MANUFACTURER, manufacturer_model_name=objects.MANUFACTURER, institution_name=facts.clinic,
        device_serial_number=facts.uid("device"), is_complete=True, is_final=False, is_verified=False,
        transfer_syntax_uid=ExplicitVRLittleEndian, content_date=answer.at.date(), content_time=answer.at.time(),
        series_description="Scores of a model, not a diagnosis", record_evidence=True,
    )  # fmt: skip
    return objects.finished(
        _timeless(made, facts, answer), facts, ExplicitVRLittleEndian, f"report-{answer.analysis}.dcm"
    )


def _timeless(made: Dataset, facts: PhotoFacts, answer: Answer) -> Dataset:
    """The same answer makes the same report, whenever that is made."""
    patient = objects.common(facts, "SR", "report")
    for name in ("PatientAge", "StudyDescription", "ProcedureCodeSequence"):
        if name in patient:
            setattr(made, name, getattr(patient, name))
    for equipment in made.get("ContributingEquipmentSequence", []):
        equipment.pop("ContributionDateTime", None)
    made.PatientID, made.PatientName = patient.PatientID, patient.PatientName
    made.InstitutionName = patient.InstitutionName
    made.InstanceCreationDate = answer.at.strftime("%Y%m%d")
    made.InstanceCreationTime = answer.at.strftime("%H%M%S")
    scheme = Dataset()
    scheme.CodingSchemeDesignator, scheme.CodingSchemeName = codes.OWN_SCHEME, codes.OWN_SCHEME_NAME
    scheme.CodingSchemeResponsibleOrganization = objects.MANUFACTURER
    made.CodingSchemeIdentificationSequence = [scheme]
    return made


def _groups(
    facts: PhotoFacts, answer: Answer, source: Dataset
) -> list[PlanarROIMeasurementsAndQualitativeEvaluations]:
    x, y, size = answer.square
    corners = np.array([[x, y], [x + size, y], [x + size, y + size], [x, y + size], [x, y]], dtype=float)
    site = facts.site_code or codes.SKIN
    sides = {"L": dictionary.SCT.Left, "R": dictionary.SCT.Right}
    algorithm = AlgorithmIdentification(
        name=answer.model, version=answer.version, manufacturer=objects.MANUFACTURER,
        parameters=[NO_DIAGNOSIS, *answer.facts],
    )  # fmt: skip
    groups = []
    for key in sorted(answer.scores, key=lambda one: (-answer.scores[one], one)):
        said = [_is_listed(key in answer.listed, answer.thresholds)] if answer.thresholds else []
        groups.append(
            PlanarROIMeasurementsAndQualitativeEvaluations(
                tracking_identifier=TrackingIdentifier(
                    uid=facts.uid("tracking", answer.analysis, key),
                    identifier=f"lesion {facts.lesion}: {key}",
                ),
                referenced_region=ImageRegion(
                    GraphicTypeValues.POLYLINE, corners, SourceImageForRegion.from_source_image(source)
                ),
                finding_type=_code(
                    answer.codes.get(key) or codes.Coded(key, codes.OWN_SCHEME, answer.names[key])
                ),
                algorithm_id=algorithm,
                finding_sites=[FindingSite(_code(site), laterality=sides.get(facts.laterality))],
                measurements=[
                    Measurement(
                        name=_code(codes.PROBABILITY),
                        value=round(answer.scores[key], 6),
                        unit=_code(codes.NO_UNITS),
                    )
                ],
                qualitative_evaluations=said,
            )
        )
    return groups


def _is_listed(listed: bool, thresholds: str) -> QualitativeEvaluation:
    """Whether the score exceeds the threshold of the set of that name."""
    name = CodedConcept("listed", codes.OWN_SCHEME, f"Listed by {thresholds}"[:64])
    return QualitativeEvaluation(name=name, value=dictionary.SCT.Yes if listed else dictionary.SCT.No)


def _code(code: codes.Coded) -> CodedConcept:
    return CodedConcept(code.value, code.scheme, code.meaning)
