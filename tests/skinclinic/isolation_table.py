"""Every page and API route, and how to ask it for another clinic's rows. A new URL needs a line here.

- ``row("photo")``: the address names a row of a clinic; the word says which (an attribute of ``World``).
- ``LISTING``: shows or changes whatever belongs to the person's own clinics.
- ``PERSONAL``: about the person alone; read-only members may use it too.
- ``PUBLIC``: for everybody, with nothing of any clinic in it.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Access:
    kind: str
    # {name in the address: attribute of World}
    args: dict[str, str] = field(default_factory=dict)
    # Fields that the common form has not, or has with another meaning.
    body: dict[str, object] = field(default_factory=dict)


def row(attribute: str, name: str = "pk") -> Access:
    return Access("row", {name: attribute})


LISTING, PERSONAL, PUBLIC = Access("listing"), Access("personal"), Access("public")

TABLE = {
    "healthz": PUBLIC,
    "set_language": PUBLIC,
    "login": PUBLIC,
    "session": PUBLIC,
    "join": Access("public", {"secret": "unknown_secret"}),
    "logout": PERSONAL,
    "account": PERSONAL,
    "password-change": PERSONAL,
    "password-changed": PERSONAL,
    "token-create": PERSONAL,
    "token-revoke": PERSONAL,
    "switch-clinic": PERSONAL,
    "engine-status": LISTING,
    "diagnosis-terms": LISTING,
    # People
    "clinic-settings": LISTING,
    "members": LISTING,
    "member-edit": row("member"),
    "invitation-revoke": row("invitation"),
    # Archive
    # Archive
    "archive": LISTING,
    "archive-entry": row("entry"),
    "archive-change-undo": row("change"),
    "review": LISTING,
    "review-decide": LISTING,
    "review-label": row("entry"),
    "review-undo": row("entry"),
    "review-model": LISTING,
    "imports": LISTING,
    "import-new": LISTING,
    "import": row("import_row"),
    "import-status": row("import_row"),
    "import-act": row("import_row"),
    "import-map": row("import_row"),
    "import-errors": row("import_row"),
    "duplicates": LISTING,
    "duplicates-decided": LISTING,
    "duplicates-search": LISTING,
    "duplicate-decide": row("pair"),
    "duplicate-reopen": row("pair"),
    "datasets": LISTING,
    "dataset-new": LISTING,
    "dataset-compare": LISTING,
    "dataset-candidates": LISTING,
    "dataset": row("version"),
    "dataset-act": row("version"),
    "dataset-export": row("version"),
    # Cases
    "worklist": LISTING,
    "worklist-rows": LISTING,
    "patients": LISTING,
    "patient-new": LISTING,
    "patient": row("patient"),
    "patient-edit": row("patient"),
    "lesion-new": row("patient"),
    "lesion": row("lesion"),
    "lesion-edit": row("lesion"),
    "lesion-delete": row("lesion"),
    "lesion-pathology": row("lesion"),
    "diagnosis-withdraw": row("pathology"),
    "filing": LISTING,
    "filing-undo": LISTING,
    "photo-filing": row("photo"),
    "photo-filing-patient": row("photo"),
    "photo-filing-codes": row("photo"),
    "photo-image": row("photo"),
    "photo-thumbnail": row("photo"),
    "photo-delete": row("photo"),
    # Analyses
    "upload": LISTING,
    "photo-upload": Access("listing", body={"kind": "close_up"}),
    "photo-cards": LISTING,
    "photo-card": row("photo"),
    "photo-crop": row("photo"),
    "photo": row("photo"),
    "photo-retry": row("photo"),
    "analysis": row("analysis"),
    "analysis-maps": row("analysis"),
    "analysis-impression": row("analysis"),
    "analysis-decision": row("analysis"),
    "analysis-report": row("analysis"),
    "analysis-panels": row("analysis"),
    # The try page knows no clinic's rows; its results have unguessable addresses.
    "try": PUBLIC,
    "try-result": Access("public", {"token": "unknown_secret"}),
    "try-image": Access("public", {"token": "unknown_secret"}),
    "try-maps": Access("public", {"token": "unknown_secret"}),
    "try-delete": Access("public", {"token": "unknown_secret"}),
    "api-try": PUBLIC,
    "api-try-result": Access("public", {"token": "unknown_secret"}),
    # Models
    "models": LISTING,
    "model-register": LISTING,
    "model-rollback": LISTING,
    "model": row("own_model"),
    "model-publish": row("own_model"),
    "evaluations": LISTING,
    "evaluation-new": LISTING,
    "evaluation": row("evaluation"),
    "evaluation-status": row("evaluation"),
    "evaluation-act": row("evaluation"),
    "evaluation-disease": row("evaluation"),
    "evaluation-figure": row("evaluation"),
    "evaluation-download": row("evaluation"),
    "evaluation-gallery": row("evaluation"),
    "evaluation-heatmap": row("evaluation"),
    "evaluation-heatmaps": row("evaluation"),
    # API
    "api-token": PUBLIC,
    "api-schema": PUBLIC,
    "api-docs": PUBLIC,
    "api-root": LISTING,
    "api-me": PERSONAL,
    "api-diseases": LISTING,
    "api-sites": LISTING,
    "api-clinic-list": LISTING,
    "api-clinic-detail": row("slug", "slug"),
    "api-member-list": LISTING,
    "api-member-detail": row("member"),
    "api-invitation-list": LISTING,
    "api-invitation-revoke": row("invitation"),
    "api-patient-list": LISTING,
    "api-patient-detail": row("patient"),
    "api-lesion-list": LISTING,
    "api-lesion-detail": row("lesion"),
    "api-diagnosis-list": LISTING,
    "api-diagnosis-detail": row("pathology"),
    "api-diagnosis-withdraw": row("pathology"),
    "api-photo-list": Access("listing", body={"kind": "close_up"}),
    "api-photo-detail": row("photo"),
    "api-photo-crop": row("photo"),
    "api-analysis-list": LISTING,
    "api-analysis-detail": row("analysis"),
    "api-analysis-assessment": row("analysis"),
    "api-analysis-decision": row("analysis"),
    "api-analysis-impression": row("analysis"),
    "api-analysis-maps": row("analysis"),
    "api-analysis-retry": row("analysis"),
    "api-assessment-list": LISTING,
    "api-assessment-detail": row("assessment"),
    "api-model-list": LISTING,
    "api-model-roll-back": LISTING,
    "api-model-detail": row("own_model"),
    "api-model-publish": row("own_model"),
    "api-publication-list": LISTING,
    "api-publication-detail": row("publication"),
}
