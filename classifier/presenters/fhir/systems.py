"""The codes that only this product has."""

from django.utils.translation import gettext as _

from classifier.presenters.fhir.teller import Teller
from skinclinic.fhir.parts import Json, trimmed
from skinclinic.vocabulary.codes import english_name
from skinclinic.vocabulary.diseases import DISEASES


def own_codes(teller: Teller) -> Json:
    """As a CodeSystem."""
    concepts = {
        "answer": _("What a model says of a skin photo"),
        "score": _("Score of a model, from 0 to 1"),
        "disease": _("Disease that the score is of"),
        "pathology": _("Pathology"),
        **{disease.key: english_name("disease", disease.key) for disease in DISEASES},
    }
    return dict(
        trimmed(
            {
                "resourceType": "CodeSystem", "id": "skinclinic", "url": teller.own_codes, "name": "SkinClinic",
                "status": "active", "content": "complete", "caseSensitive": True,
                "concept": [{"code": code, "display": said} for code, said in concepts.items()],
            }
        )
    )  # fmt: skip
