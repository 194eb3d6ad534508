"""Names of cookies. Where they are for HTTPS alone, ``__Host-`` has browsers take them from this very host and nothing
below or beside it, so that no neighbour of the hospital's domain can set one."""

from . import security

SECURE = bool(getattr(security, "SESSION_COOKIE_SECURE", False))
_PREFIX = "__Host-" if SECURE else ""

SESSION_COOKIE_NAME = f"{_PREFIX}sessionid"
CSRF_COOKIE_NAME = f"{_PREFIX}csrftoken"
LANGUAGE_COOKIE_NAME = f"{_PREFIX}django_language"
LANGUAGE_COOKIE_SECURE = SECURE
LANGUAGE_COOKIE_SAMESITE = "Lax"
