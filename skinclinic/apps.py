from django.apps import AppConfig


class SkinClinicConfig(AppConfig):
    name = "skinclinic"

    def ready(self) -> None:
        # Declares its job and registers its broom in every process.
        from skinclinic import jobs_mail  # noqa: F401
        from skinclinic.services import file_notes  # noqa: F401
