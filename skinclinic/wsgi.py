"""The web process."""

import os

from django.core.wsgi import get_wsgi_application

from skinclinic.files import private

private.begin()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skinclinic.settings")
application = get_wsgi_application()

# They need the settings, and make themselves ready while the first requests come.
from django.conf import settings  # noqa: E402

from skinclinic.services import decoding  # noqa: E402

private.tighten(settings.SKINCLINIC_HOME, settings.SHARED_GROUP)
decoding.warm()
