from django.apps import AppConfig


class SkinClinicConfig(AppConfig):
    name = "skinclinic"

    def ready(self) -> None:
        # Declares its job and registers its broom in every process.
        from skinclinic.files import notes as file_notes  # noqa: F401
        from skinclinic.jobs import erasing, mail  # noqa: F401
        from skinclinic.services import follow_up_reminders, plans, second_opinions  # noqa: F401
        from skinclinic.services.binning import emptying, pictures  # noqa: F401
        from skinclinic.services.erasing import again  # noqa: F401
