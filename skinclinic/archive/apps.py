from django.apps import AppConfig


class ArchiveConfig(AppConfig):
    name = "skinclinic.archive"
    label = "archive"

    def ready(self) -> None:
        # Declares its jobs in every process.
        from skinclinic.archive.jobs import datasets, duplicates, imports  # noqa: F401
