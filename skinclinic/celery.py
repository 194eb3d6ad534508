"""The Celery application: `celery -A skinclinic worker`."""

import os

from celery import Celery
from celery.signals import celeryd_init

from skinclinic.engine import broker  # noqa: F401  (registers the embedded:// transport)
from skinclinic.files import private

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skinclinic.settings")
app = Celery("skinclinic")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["skinclinic.engine"])


@celeryd_init.connect
def _begin_worker(**kwargs) -> None:
    private.begin()
