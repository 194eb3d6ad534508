from django.apps import AppConfig


class ClassifierConfig(AppConfig):
    name = "classifier"

    def ready(self):
        from skinclinic.services import worklist

        # Declares the kinds of job, so that the web process, too, knows their queues.
        from . import jobs_evaluation, jobs_training, tasks  # noqa: F401
        from .services.assessments import hidden_photo_ids

        worklist.answer_filters.append(hidden_photo_ids)
