from django.apps import AppConfig


class SkinClinicConfig(AppConfig):
    name = "skinclinic"

    def ready(self) -> None:
        # Registers its broom in every process.
        from skinclinic.files import notes as file_notes  # noqa: F401
