"""The Celery application: `celery -A skinclinic worker`."""

import gc
import os

from celery import Celery
from celery.signals import celeryd_after_setup, celeryd_init

from skinclinic.engine import broker  # noqa: F401  (registers the embedded:// transport)
from skinclinic.files import private

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skinclinic.settings")
app = Celery("skinclinic")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["skinclinic.engine"])


@celeryd_init.connect
def _begin_worker(**kwargs) -> None:
    # Nothing of what is loaded now is garbage: to look for some takes a fifth of the time.
    gc.disable()
    private.begin()


@celeryd_after_setup.connect
def _loaded(**kwargs) -> None:
    gc.freeze()
    gc.enable()
