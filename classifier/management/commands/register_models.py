"""Register the models that come with the product; part of every deployment."""

from django.core.management.base import BaseCommand

from classifier.networks import weights
from classifier.services.models import map_checks, registry


class Command(BaseCommand):
    help = "Register the shipped models in the database. Running it again changes nothing."

    def handle(self, *args, **options):
        for folder in weights.shipped_folders():
            version = registry.register(folder)
            self.stdout.write(f"{version.name} ({version.architecture}, {version.weights_sha256[:12]})")
        map_checks.begin_missing()
