"""What of reader studies is written down when it is looked at or fetched, by those who run them and by readers."""

from skinclinic.web.looks import fetched, register, view

READING, PHOTO = view("reading.view"), view("reading.photo", of="skinclinic.photo")
RESULTS, FILES = view("study.results"), fetched("study.fetch", "what", "kind", "kinds", "name", "as")
register(
    {
        "reading": READING, "reading-session": READING, "reading-practice": READING, "reading-result": READING,
        "reading-photo": PHOTO, "reading-practice-photo": PHOTO,
        **{
            name: RESULTS
            for name in ("study-results", "study-results-disease", "study-results-readers", "study-results-model",
                         "study-results-sessions", "study-results-agreement", "study-results-missed",
                         "study-results-plan", "study-results-methods", "study-results-panels",
                         "study-results-heatmap")
        },
        "study-results-figure": FILES, "study-results-download": FILES,
        "study-sample": view("study.photos"), "study-reference": view("study.photos"),
        "study-preview": view("study.photos"),
        "study-protocol": FILES, "study-protocol-pdf": FILES, "study-checklist": FILES, "study-votes": FILES,
        "study-paper-pdf": FILES, "study-paper-sheet": FILES, "study-log": view("study.log"),
        "api-study-result-detail": FILES, "api-study-result-file": FILES, "api-study-protocol": FILES,
        "api-reading-detail": view("study.answers"), "api-answer-detail": view("study.answers"),
        "api-answer-change-detail": view("study.answers"),
        **{
            f"api-{name}-list": fetched("list.fetch", "page_size", "cursor", "study")
            for name in ("reading", "answer", "answer-change")
        },
    }
)  # fmt: skip
