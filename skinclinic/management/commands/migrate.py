"""``migrate``, beside a version that goes on serving: ``management/while_serving.py``."""

from typing import Any

from django.core.management.commands.migrate import Command as Migrate
from django.db import connections

from skinclinic.management import while_serving
from skinclinic.management.terminal import Tells


class Command(Tells, Migrate):
    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        with while_serving.prepared(connection):
            while_serving.tried_again(lambda: super(Command, self).handle(*args, **options), self.say)
