from django.apps import AppConfig


class ArchiveConfig(AppConfig):
    name = "skinclinic.archive"
    label = "archive"
