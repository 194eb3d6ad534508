"""Who may sign in from where, and what a page may load."""

from csp.constants import NONE, SELF

from .base import DEBUG, EMBEDDED, env

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["*"] if DEBUG else ["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# Where people open the product, for links in mails that no request asked for; "" if nobody has said.
PUBLIC_ADDRESS = (
    env("PUBLIC_ADDRESS", default="")
    or next((origin for origin in CSRF_TRUSTED_ORIGINS if "*" not in origin), "")
).rstrip("/")

# Private networks, such as 10.0.0.0/8, that webhooks may reach; the public one they may always, by https.
WEBHOOK_NETWORKS = env.list("WEBHOOK_NETWORKS", default=[])
# The same of image archives; by DICOM, which goes without TLS, these are the only ones.
IMAGE_ARCHIVE_NETWORKS = env.list("IMAGE_ARCHIVE_NETWORKS", default=[])

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "blob:", "data:"],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"

# HTTPS is the proxy's work; EMBEDDED is plain HTTP on this machine only.
if not EMBEDDED:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.bool("COOKIES_SECURE", default=True)
    SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31_536_000)
SILENCED_SYSTEM_CHECKS = [
    # Subdomains are the hospital's, not ours to speak for; nor may we list its domain in browsers.
    "security.W005",
    "security.W021",
    # The proxy sends HTTP to HTTPS; nothing else reaches this process.
    "security.W008",
    # Tags of ``i18n`` that write counts take the place of Django's.
    "templates.W003",
]
SESSION_ENGINE = "skinclinic.web.sessions"
# From signing in, and from what the person did last.
SESSION_COOKIE_AGE = env.int("SESSION_HOURS", default=12) * 3600
SESSION_IDLE_SECONDS = env.int("SESSION_IDLE_MINUTES", default=30) * 60
# How long ago somebody may have signed in or confirmed who downloads, gives roles, publishes, unblinds, erases.
STEP_UP_SECONDS = 600
SESSION_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "skinclinic.web.errors.csrf_failure"

AUTHENTICATION_BACKENDS = [
    "skinclinic.services.signing_in.LimitedBackend",
    # Knows the people whom others have let in: by an invitation, by the hospital's own sign-in.
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "skinclinic.services.passwords.Length"},
    {"NAME": "skinclinic.services.passwords.NotCommon"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "skinclinic.services.tokens.EndsTokens"},
]
# Within an hour: wrong passwords of an account or an address, pages of patients and files of one person, from which on
# the admins of the clinic are told by mail. 0: never.
ALARM_SIGN_INS = env.int("ALARM_SIGN_INS", default=40)
ALARM_LOOKS = env.int("ALARM_LOOKS", default=600)
ALARM_FETCHES = env.int("ALARM_FETCHES", default=150)
# The address of who asks comes from the proxy only where there is one.
PROXY_COUNT = env.int("PROXY_COUNT", default=0 if EMBEDDED else 1)

# nginx serves private files itself: the folder it maps to PHOTOS_DIR. Empty: Django sends them.
X_ACCEL_PREFIX = env("X_ACCEL_PREFIX", default="")
# The same for photos in a bucket: the folder that nginx hands on to the bucket's endpoint. Empty: Django sends them.
X_ACCEL_BUCKET_PREFIX = env("X_ACCEL_BUCKET_PREFIX", default="")

UPLOAD_MAX_BYTES = 25 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = UPLOAD_MAX_BYTES + 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 20
