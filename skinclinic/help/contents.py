"""The pages of help in the order in which they are listed, by whose task they are."""

EVERYBODY, CLINICIAN, CURATOR, COORDINATOR, ADMIN, OPERATOR = (
    "everybody", "clinician", "curator", "coordinator", "admin", "operator",
)  # fmt: skip

# {whose tasks: names of files in docs/help/LANGUAGE, without ".md"}
CONTENTS: dict[str, tuple[str, ...]] = {
    CLINICIAN: (
        "upload", "result", "heatmaps", "decide", "worklist", "patients", "over-time", "opinions", "phone", "try",
    ),
    CURATOR: ("archive", "review", "duplicates", "imports", "datasets"),
    COORDINATOR: ("study-making", "study-running", "study-results", "reading"),
    ADMIN: (
        "people", "consent", "erasing", "settings", "audit", "models", "after-publishing", "training",
        "evaluating", "thresholds",
    ),
    OPERATOR: ("operating", "backup", "upgrading", "single-sign-on"),
    EVERYBODY: ("account", "tokens", "standards"),
}  # fmt: skip

ALL = tuple(name for names in CONTENTS.values() for name in names)


def by_role(role: str) -> list[tuple[str, tuple[str, ...]]]:
    """[(whose tasks, names of pages)], those of ``role`` first; of an unknown one in the usual order."""
    first = [(whose, names) for whose, names in CONTENTS.items() if whose == role]
    return first + [(whose, names) for whose, names in CONTENTS.items() if whose != role]
