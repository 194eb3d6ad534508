"""What the demo's people say to each other, so that *For me*, tags and saved searches have something to show."""

from skinclinic.models import Clinic, Lesion, Role, SavedSearch, User
from skinclinic.services import case_tags, comments, second_opinions


def seed_together(clinic: Clinic, users: dict[str, User]) -> None:
    """A comment that names the clinician, a question to the curator, a tag on two cases and the clinic's search for
    it."""
    curator, clinician = users[Role.CURATOR], users[Role.CLINICIAN]
    rows = Lesion.objects.filter(clinic=clinic, is_archived=False, patient__isnull=False)
    lesions = list(rows.select_related("clinic").order_by("pk")[:3])
    if len(lesions) < 3:
        return
    comments.write(lesions[2], curator, "@clinician Please take an overview as well next time.")
    second_opinions.ask_member(lesions[1], clinician, curator, "Would you excise this now?")
    teaching = case_tags.named(clinic, "Teaching", curator)
    case_tags.put(lesions[:2], teaching, curator)
    filters = {"show": "all", "tag": str(teaching.pk)}
    SavedSearch.objects.create(clinic=clinic, name="Teaching cases", filters=filters, created_by=curator)
