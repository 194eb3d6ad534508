from django.apps import AppConfig


class ArchiveConfig(AppConfig):
    name = "skinclinic.archive"
    label = "archive"

    def ready(self) -> None:
        # Declares its jobs in every process.
        from skinclinic.archive import jobs_datasets, jobs_duplicates, jobs_imports  # noqa: F401
