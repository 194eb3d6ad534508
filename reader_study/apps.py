from django.apps import AppConfig


class ReaderStudyConfig(AppConfig):
    name = "reader_study"

    def ready(self):
        from skinclinic.services import photos

        # Declares the kinds of job, so that the web process, too, knows their queues.
        from . import jobs_model_answers, jobs_results  # noqa: F401
        from .services.access import why_kept

        photos.reasons_to_keep.append(why_kept)
