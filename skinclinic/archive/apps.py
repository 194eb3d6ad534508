from django.apps import AppConfig


class ArchiveConfig(AppConfig):
    name = "skinclinic.archive"
    label = "archive"

    def ready(self) -> None:
        # Declares its jobs, and how pages show them, in every process.
        from skinclinic.archive import audited  # noqa: F401
        from skinclinic.archive.jobs import bulk, datasets, duplicates, imports  # noqa: F401
        from skinclinic.archive.presenters import audit_words, work  # noqa: F401
        from skinclinic.archive.services import attention, first_steps, holdings, retention  # noqa: F401
        from skinclinic.archive.services.curating import own_facts  # noqa: F401
        from skinclinic.archive.services.datasets import binned, covering, erasing, withdrawal  # noqa: F401
        from skinclinic.archive.services.importing import erasing as of_imports  # noqa: F401
        from skinclinic.archive.services.importing import left_open  # noqa: F401
        from skinclinic.archive.services.importing.room import room
        from skinclinic.services import quotas, word_indexes

        quotas.rooms.append(room)
        for field in ("text", "subtype"):
            word_indexes.search_in(self.get_model("Entry"), field)
        word_indexes.search_in_object(self.get_model("Entry"), "columns")
