"""The web process."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skinclinic.settings")
application = get_wsgi_application()

# They need the settings, and make themselves ready while the first requests come.
from skinclinic.services import decoding  # noqa: E402

decoding.warm()
