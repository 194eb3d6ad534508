"""Which page of the product leads to which page of help: the "?" of every page asks here."""

# {how names of addresses (``urls.py``) begin: page of help}; the longest that fits counts.
PLACES = {
    # Taking photos, reading results
    "upload": "upload", "photo-upload": "upload", "photo-card": "upload", "photo-crop": "upload",
    "photo-suggested-squares": "upload",
    "photo-cover": "upload", "photo-square": "upload", "photo-filing": "patients", "filing": "patients",
    "photo": "result", "photo-retry": "result", "photo-size": "over-time", "photo-delete": "erasing",
    "analysis": "result", "analysis-maps": "heatmaps", "analysis-impression": "decide",
    "analysis-decision": "decide", "analysis-explanations": "heatmaps", "explanation": "heatmaps",
    "patient-photos": "phone", "try": "try",
    "offline": "phone", "manifest": "phone", "service-worker": "phone",
    # Cases
    "worklist": "worklist", "cases": "worklist", "case-tags": "worklist", "search": "worklist",
    "follow-up": "worklist", "biopsy": "worklist", "work": "archive",
    "patient": "patients", "patients": "patients", "patient-seen": "audit", "patient-delete": "erasing",
    "patient-erase": "erasing", "patient-merge": "patients", "patient-report": "opinions",
    "patient-letter": "opinions", "letter": "opinions", "note": "patients",
    "lesion": "over-time", "lesion-pathology": "decide", "lesion-delete": "erasing",
    "lesion-opinion": "opinions", "lesion-comments": "opinions", "lesion-people": "opinions",
    "lesion-calls": "opinions", "lesion-follow-up": "worklist", "lesion-biopsy": "worklist",
    "lesion-assign": "worklist", "lesion-new": "patients", "lesion-edit": "patients", "lesion-tag": "worklist",
    "lesion-visit": "patients", "lesion-symptoms": "patients", "lesion-notes": "patients",
    "lesion-report": "opinions", "size": "over-time", "diagnosis": "decide", "comment": "opinions",
    "opinion": "opinions", "bin": "erasing",
    # Archive
    "archive": "archive", "archive-second": "review", "archive-change": "review", "archive-entry": "review",
    "review": "review", "source": "imports", "vocabulary": "review", "background": "review",
    "subtype": "review", "import": "imports", "duplicate": "duplicates", "dataset": "datasets",
    # Models
    "model": "models", "model-training": "training", "evaluation": "evaluating",
    "evaluation-thresholds": "thresholds", "threshold": "thresholds", "after-publishing": "after-publishing",
    "monitor": "after-publishing", "shadow": "after-publishing",
    # Reader studies
    "studies": "study-making", "study": "study-running", "study-new": "study-making",
    "study-settings": "study-making", "study-design": "study-making", "study-sample": "study-making",
    "study-reference": "study-making", "study-votes": "study-making", "study-precision": "study-making",
    "study-intervals": "study-making", "study-preview": "study-making", "study-documents": "study-making",
    "study-checklist": "study-making", "study-protocol": "study-making", "study-results": "study-results",
    "study-replay": "study-results", "reading": "reading",
    # People and the clinic
    "login": "account", "logout": "account", "session": "account", "account": "account", "confirm": "account",
    "password": "account", "forgotten": "account", "reset": "account", "email": "account",
    "new-email": "account", "sign-out": "account", "mfa": "account", "openid": "single-sign-on", "join": "account",
    "switch-clinic": "account", "set_language": "account",
    "token": "tokens", "service-account": "tokens", "clinic-token": "tokens", "webhook": "tokens",
    "member": "people", "invitation": "people", "clinic-settings": "settings", "letterhead": "settings",
    "codes": "standards", "image-archive": "standards", "photo-archive": "standards",
    "record-system": "standards", "smart": "standards",
    "overview": "settings", "start": "account", "first-steps": "account",
    "retention": "erasing", "erasures": "erasing", "audit": "audit",
    "engine-status": "operating", "healthz": "operating", "readyz": "operating",
    "metrics": "operating", "queue": "operating", "help": "account",
}  # fmt: skip


def page_for(name: str) -> str:
    """The page of help for an address of this name; "" where none is kept for it."""
    fitting = [
        start for start in PLACES if name == start or name.startswith((f"{start}-", f"{start}s", f"{start}_"))
    ]
    return PLACES[max(fitting, key=len)] if fitting else ""
