"""The summary a lesion carries for the worklist."""

from skinclinic.models import Diagnosis, Lesion


def refresh_summary(lesion: Lesion) -> None:
    """Bring cover photo, photo count and proof up to date. Analyses keep their own fields true."""
    newest = lesion.photos.order_by("-created_at", "-id").first()
    proof = lesion.diagnoses.filter(kind=Diagnosis.Kind.PATHOLOGY, withdrawn_at=None).first()
    lesion.cover = newest
    lesion.photo_count = lesion.photos.count()
    lesion.is_proven = proof is not None
    lesion.proven_disease = proof.disease if proof else ""
    if newest is None:
        lesion.state = Lesion.State.EMPTY
        lesion.top_disease, lesion.top_score, lesion.malignant_sum = "", None, None
    lesion.save(
        update_fields=[
            "cover",
            "photo_count",
            "is_proven",
            "proven_disease",
            "state",
            "top_disease",
            "top_score",
            "malignant_sum",
        ]
    )
