from django.apps import AppConfig


class ClassifierConfig(AppConfig):
    name = "classifier"

    def ready(self):
        # Declares the kinds of job and how pages show them, so that the web process, too, knows their queues.
        from classifier.jobs import analysis, evaluation, training  # noqa: F401
        from classifier.presenters import training_progress, work  # noqa: F401
        from classifier.services.analysis.assessments import hidden_photo_ids
        from classifier.services.training import withdrawal  # noqa: F401
        from skinclinic.services import worklist

        worklist.answer_filters.append(hidden_photo_ids)
