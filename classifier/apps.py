from django.apps import AppConfig


class ClassifierConfig(AppConfig):
    name = "classifier"

    def ready(self):
        # Declares the kinds of job, so that the web process, too, knows their queues.
        from . import tasks  # noqa: F401
