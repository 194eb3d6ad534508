"""What of the archive is written down when it is looked at or fetched."""

from skinclinic.web.looks import fetched, register, view

ENTRY = view("entry.view")
register(
    {
        "archive-entry": ENTRY, "archive-second-give": ENTRY, "review-label": ENTRY,
        "dataset-export": fetched("dataset.export", "texts", "thumbnails"),
        "dataset-croissant": fetched("dataset.describe"), "dataset-datasheet": fetched("dataset.describe"),
        "api-dataset-croissant": fetched("dataset.describe"), "api-dataset-datasheet": fetched("dataset.describe"),
        "import-table": fetched("import.fetch"), "import-changes": fetched("import.fetch"),
        "import-errors": fetched("import.fetch"),
    }
)  # fmt: skip
