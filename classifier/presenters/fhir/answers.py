"""What a model says of a photo: a report, a score of each disease that is listed, the model, how it came about.

Nothing of it may be told to whoever's own impression comes first: who calls has asked ``Teller.hidden``.
"""

from datetime import datetime

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from classifier.metrics.listing import listed
from classifier.models import Analysis, ModelVersion, ThresholdSet
from classifier.presenters import cautions, computed
from classifier.presenters.analysis_files import SET_ASIDE_WORDS
from classifier.presenters.fhir.teller import Teller, taken
from classifier.services.models.card import validated_on
from classifier.services.models.manifest_words import in_words
from skinclinic.fhir.parts import HL7, UCUM, Json, concept, hl7, instant, note, reference, resource
from skinclinic.models import Job
from skinclinic.vocabulary import spoken
from skinclinic.vocabulary.codes import DISEASE
from skinclinic.vocabulary.diseases import BY_KEY

_REGISTERED = (Job.State.QUEUED, Job.State.RUNNING)


def does_not_diagnose() -> str:
    return _(
        "It does not diagnose: scores say how much a photo looks like what the model was trained on. "
        "The decision is yours."
    )


def thresholds_of(row: Analysis) -> ThresholdSet | None:
    """Those by which diseases are listed; None where the model has none."""
    return row.model_version.usual_thresholds(row.clinic_id)


def listed_of(row: Analysis) -> list[str]:
    """The diseases that are listed, likeliest first; none where the answer does not count."""
    chosen = thresholds_of(row)
    if not row.is_done or row.set_aside or chosen is None:
        return []
    return listed(row.scores, chosen.values)


def report(row: Analysis, teller: Teller) -> Json:
    """The answer to one photo. It stays preliminary: what a model says is never the final word on a patient."""
    photo = row.photo
    status = "preliminary"
    if not row.is_done:
        status = "registered" if row.job is None or row.job.state in _REGISTERED else "cancelled"
    printed = {"contentType": "application/pdf", "url": f"{teller.base}/Binary/report-{row.pk}"}
    return resource(
        "DiagnosticReport", row.pk, updated_of(row),
        language=get_language(),
        identifier=[{"system": f"{teller.base}/NamingSystem/analysis", "value": str(row.pk)}],
        status=status,
        category=[concept("", hl7("v2-0074", "OTH", "Other"))],
        code=teller.own("answer", _("What a model says of a skin photo")),
        subject=teller.subject(photo.lesion),
        effectiveDateTime=taken(photo),
        issued=instant(row.analysed_at),
        result=[reference("Observation", key_of(row, disease)) for disease in listed_of(row)],
        media=[{"link": reference("Media", row.photo_id)}],
        conclusion=_conclusion(row) if row.is_done else "",
        presentedForm=[printed] if row.is_done else [],
    )  # fmt: skip


def scores(row: Analysis, teller: Teller) -> list[Json]:
    """One Observation for each disease that is listed."""
    return [score(row, disease, teller) for disease in listed_of(row)]


def score(row: Analysis, disease: str, teller: Teller) -> Json:
    """The score of one disease. The disease is no finding of the patient: its codes stand in a component that says
    what the score is of."""
    photo, chosen = row.photo, thresholds_of(row)
    name = spoken.disease(disease)
    coded = [code.coding() for code in teller.codes(row.clinic_id).of(DISEASE, disease)]
    own = {"system": teller.own_codes, "code": disease}
    limit = chosen.values[disease] if chosen else None
    return resource(
        "Observation", key_of(row, disease), updated_of(row),
        language=get_language(),
        status="preliminary",
        category=[concept("", hl7("observation-category", "imaging", "Imaging"))],
        code=teller.own("score", _("Score of a model for %(disease)s") % {"disease": name}),
        subject=teller.subject(photo.lesion),
        focus=[teller.structure(photo.lesion)],
        effectiveDateTime=taken(photo),
        issued=instant(row.analysed_at),
        valueQuantity={"value": row.scores[disease], "system": UCUM, "code": "1"},
        note=note(" ".join([*cautions.of_answer(row), does_not_diagnose()])),
        bodySite=teller.body_site(photo.lesion),
        method={"text": _made_by(row)},
        device=reference("Device", row.model_version_id, row.model_version.name),
        referenceRange=[{
            "low": {"value": limit, "system": UCUM, "code": "1"} if limit is not None else None,
            "text": _("Listed above it, by the thresholds “%(name)s”") % {"name": chosen.name},
        }] if chosen else [],
        derivedFrom=[reference("Media", row.photo_id)],
        component=[{
            "code": teller.own("disease", _("Disease that the score is of")),
            "valueCodeableConcept": concept(name, own, *coded),
        }],
    )  # fmt: skip


def device(row: ModelVersion, teller: Teller) -> Json:
    """A model: its version is the hash of its weights."""
    manifest = row.manifest
    known = {
        _("Trained on"): in_words(manifest.get("trained_on")),
        _("Validated on"): validated_on(manifest),
        _("Architecture"): row.architecture,
    }
    return resource(
        "Device", row.pk, row.registered_at,
        language=get_language(),
        identifier=[{"system": f"{teller.base}/NamingSystem/model", "value": row.weights_sha256}],
        status="active",
        deviceName=[{"name": row.name + (_(" (demo model)") if row.is_demo else ""), "type": "model-name"}],
        type={"text": _("Model that classifies skin photos")},
        version=[{"type": {"text": "sha256"}, "value": row.weights_sha256}],
        property=[{"type": {"text": name}, "valueCode": [{"text": said}]} for name, said in known.items() if said],
        note=note(" ".join(one for one in (in_words(manifest.get("intended_use")), does_not_diagnose()) if one)),
    )  # fmt: skip


def provenance(row: Analysis, teller: Teller) -> Json:
    """Which model made an answer of which photo, by which thresholds, how finely."""
    chosen = thresholds_of(row)
    made = [reference("DiagnosticReport", row.pk)]
    made += [reference("Observation", key_of(row, disease)) for disease in listed_of(row)]
    by = reference("Device", row.model_version_id, _made_by(row))
    entities = [{"role": "source", "what": reference("Media", row.photo_id)}]
    if chosen:
        words = _("Thresholds “%(name)s”: %(purpose)s. %(cohort)s") % {
            "name": chosen.name, "purpose": chosen.purpose, "cohort": chosen.cohort,
        }  # fmt: skip
        named = {"system": f"{teller.base}/NamingSystem/threshold-set", "value": str(chosen.pk)}
        entities.append({"role": "source", "what": {"identifier": named, "display": words}})
    return resource(
        "Provenance", row.pk, updated_of(row),
        target=made,
        recorded=instant(row.analysed_at),
        activity={"text": _("Classification")},
        agent=[{
            "type": concept("", {"system": f"{HL7}provenance-participant-type", "code": "assembler"}),
            "who": by,
        }],
        entity=entities,
    )  # fmt: skip


def key_of(row: Analysis, disease: str) -> str:
    """The id of the Observation of a disease's score."""
    return f"answer-{row.pk}-{disease}"


def updated_of(row: Analysis) -> datetime:
    """When something of it changed last."""
    return row.analysed_at or row.requested_at


def _made_by(row: Analysis) -> str:
    said = _("%(model)s, weights %(hash)s") % {
        "model": row.model_version.name, "hash": row.model_version.weights_sha256[:12],
    }  # fmt: skip
    how = computed.in_words(row.runtime, row.precision)
    return f"{said}; {how}" if how else said


def _conclusion(row: Analysis) -> str:
    version, chosen = row.model_version, thresholds_of(row)
    if row.set_aside:
        parts = [str(SET_ASIDE_WORDS[row.set_aside])]
    elif chosen is None:
        parts = [_("The model has no thresholds, so that nothing is listed.")]
    elif names := listed_of(row):
        said = [f"{BY_KEY[one].name(get_language() or 'en')} {row.scores[one]:.3f}" for one in names]
        parts = [_("Listed: %(said)s.") % {"said": ", ".join(said)}]
    else:
        parts = [_("No disease exceeds its threshold.")]
    if not row.set_aside:
        parts = [*cautions.of_answer(row), *parts]
    if row.before_cover:
        parts.append(
            _("This answer is of the photo before it was covered: part of its square is hidden now.")
        )
    if chosen and not row.set_aside:
        parts.append(_("Thresholds: %(name)s.") % {"name": chosen.name})
    name = version.name + (_(" (demo model)") if version.is_demo else "")
    parts.append(
        _("Model: %(model)s, trained on %(data)s.")
        % {
            "model": name,
            "data": in_words(version.manifest.get("trained_on")) or _("data that nobody has named"),
        }
    )
    return " ".join([*parts, f"{_made_by(row)}.", does_not_diagnose()])
