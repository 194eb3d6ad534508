"""Applications, database, templates, languages and folders."""

from pathlib import Path
from typing import Any

from django.conf.locale import LANG_INFO
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import to_language

from .environment import Environment
from .own_key import kept_key

env = Environment()

BASE_DIR = Path(__file__).resolve().parents[2]

# Everything the product writes lies under this one folder.
SKINCLINIC_HOME = Path(env("SKINCLINIC_HOME", default=str(BASE_DIR / "var"))).resolve()
PHOTOS_DIR = SKINCLINIC_HOME / "photos"
MODELS_DIR = SKINCLINIC_HOME / "models"
CACHE_DIR = SKINCLINIC_HOME / "cache"
# Of a web server that sends photos and static files itself; "": nobody else on this machine reads anything.
SHARED_GROUP = env("SKINCLINIC_SHARED_GROUP", default="")

# True where the disk is encrypted below what this machine sees: by a cloud, a storage network, the drive itself.
DISK_ENCRYPTED = env.bool("DISK_ENCRYPTED", default=False)
# Of encrypted backups: the text of a key file that `manage.py backup --new-key` has made.
BACKUP_KEY = env("BACKUP_KEY", default="")

DEBUG = env.bool("DEBUG", default=False)
# True on one machine without PostgreSQL, Redis or a proxy (the demo, tests, a first look).
EMBEDDED = env.bool("SKINCLINIC_EMBEDDED", default="DATABASE_URL" not in env.ENVIRON)


def _secret_key() -> str:
    """Return SECRET_KEY from the environment, or, embedded, one kept in SKINCLINIC_HOME."""
    if key := env("SECRET_KEY", default=""):
        # As Django would warn, and nobody read: sessions and links are only as safe as this.
        if not EMBEDDED and (len(key) < 50 or len(set(key)) < 5 or key.startswith("django-insecure")):
            raise ImproperlyConfigured(
                "SECRET_KEY is too weak: take 50 random characters or more, such as those of "
                '`python3 -c "import secrets; print(secrets.token_urlsafe(50))"`. '
                "Whoever is signed in signs in again; open invitations and other links end."
            )
        return key
    if not EMBEDDED:
        raise ImproperlyConfigured("Set SECRET_KEY: a long random string, the same for every process.")
    return kept_key(SKINCLINIC_HOME / "secret_key")


SECRET_KEY = _secret_key()
# Those of before, the newest first: what they signed, the audit's rows among it, goes on being valid.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])

INSTALLED_APPS = [
    "skinclinic",
    "skinclinic.archive",
    "classifier",
    "reader_study",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
]

MIDDLEWARE = [
    # First: whatever is written down of a request, or logged, knows who asks and the request's id.
    "skinclinic.web.acting.ActingMiddleware",
    # What watches this node asks often, and must be answered when little else works.
    "skinclinic.web.probing.ProbesMiddleware",
    "skinclinic.web.counted.CountingMiddleware",
    # Round all that writes rows: what is answered is on the disk.
    "skinclinic.web.durable.DurableMiddleware",
    # Before anything looks at the address.
    "skinclinic.web.versions.VersionMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "skinclinic.web.middleware.SecretLinksMiddleware",
    "skinclinic.web.middleware.DevicesMiddleware",
    "skinclinic.web.own_origin.OwnOriginMiddleware",
    "skinclinic.web.middleware.ApiAnswersMiddleware",
    "skinclinic.web.methods.MethodsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "skinclinic.web.versions.SlashMiddleware",
    # Before the CSRF check, which reads the whole body.
    "skinclinic.web.middleware.BodySizeMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "skinclinic.web.sessions.SessionUseMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "skinclinic.web.middleware.SignInMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "skinclinic.web.middleware.MembershipMiddleware",
    "skinclinic.web.middleware.PrivatePagesMiddleware",
    "skinclinic.web.middleware.DeletedMeanwhileMiddleware",
    "skinclinic.web.middleware.ComeBackMiddleware",
    "skinclinic.web.confirming.ConfirmFirstMiddleware",
    "skinclinic.web.tokens.TokenUseMiddleware",
    # Of answers that have been let out: whoever has them already is told so.
    "skinclinic.web.unchanged.UnchangedMiddleware",
    # What it writes of an answer is written before that is sent.
    "skinclinic.web.audited.AuditMiddleware",
    "skinclinic.web.leaving.LeavingMiddleware",
    # Last: whatever else asks how a request came knows it as it came.
    "skinclinic.web.methods.HeadMiddleware",
]

ROOT_URLCONF = "skinclinic.urls"
WSGI_APPLICATION = "skinclinic.wsgi.application"

# What every page knows.
_CONTEXT = [
    "django.template.context_processors.request",
    "django.template.context_processors.i18n",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
    "skinclinic.web.context.clinic",
    "classifier.context.model",
]
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": _CONTEXT,
            "builtins": ["skinclinic.templatetags.parts"],
            "libraries": {"i18n": "skinclinic.web.counted_tags"},
        },
    },
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates" / "jinja2"],
        "OPTIONS": {"context_processors": _CONTEXT, "environment": "skinclinic.jinja.environment"},
    },
]
if DEBUG:
    # Without the cache: a template that is being written shows at once, also in workers.
    TEMPLATES[0]["APP_DIRS"] = False
    TEMPLATES[0]["OPTIONS"]["loaders"] = [
        "django.template.loaders.filesystem.Loader",
        "django.template.loaders.app_directories.Loader",
    ]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
INSTALLED_APPS.append("django.forms")

DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{SKINCLINIC_HOME / 'skinclinic.sqlite3'}")}
if password := env("POSTGRES_PASSWORD", default=""):
    # As it is: in an address some letters would mean something else.
    DATABASES["default"]["PASSWORD"] = password
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    # A network that swallows everything is noticed within half a minute, on both sides: neither does a request hang
    # here, nor do its rows stay locked there.
    _NOTICED = {"keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3}
    DATABASES["default"]["OPTIONS"] = (
        {
            "connect_timeout": 10,
            "tcp_user_timeout": 30_000,
            "options": " ".join(f"-c tcp_{name}={value}" for name, value in _NOTICED.items())
            # Who is frozen in the middle of a step, as a machine that is moved, lets go of its rows after five minutes.
            + " -c tcp_user_timeout=30000 -c idle_in_transaction_session_timeout=300000"
            # Of whatever server it is: what lies on no turning disk is found by an index, rather than by reading on;
            # and compiling a query takes longer than all that pages ask for.
            + " -c random_page_cost=1.1 -c jit=off",
        }
        | _NOTICED
        | DATABASES["default"].get("OPTIONS", {})
    )
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# A page does not wait for a connection of its own.
DATABASES["default"]["CONN_MAX_AGE"] = 60
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "skinclinic.User"
LOGIN_URL = "login"
# On to the page where the work of one's role is.
LOGIN_REDIRECT_URL = "start"
LOGOUT_REDIRECT_URL = "login"

LANGUAGE_CODE = "en"
LOCALE_PATHS = [BASE_DIR / "locale"]
# English, and whatever has a folder of translations. What Django does not know says its name in a file ``name``.
LANGUAGES = [("en", LANG_INFO["en"]["name_local"])]
for _folder in sorted(path for path in LOCALE_PATHS[0].iterdir() if path.is_dir() and path.name[0].isalpha()):
    _code = to_language(_folder.name)
    if (_folder / "name").is_file():
        _name = (_folder / "name").read_text(encoding="utf-8").strip()
        _known = LANG_INFO.get(_code, {"bidi": False, "code": _code, "name": _name})
        LANG_INFO[_code] = _known | {"name_local": _name}
    LANGUAGES.append((_code, LANG_INFO[_code]["name_local"]))
FORMAT_MODULE_PATH = "skinclinic.dates"
USE_TZ = True
TIME_ZONE = env("TIME_ZONE", default="UTC")

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "skinclinic.web.hashed_static.DocumentationFinder",
]
STATIC_ROOT = SKINCLINIC_HOME / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "skinclinic.web.hashed_static.HashedStaticStorage"},
}
WHITENOISE_USE_FINDERS = EMBEDDED
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_ALLOW_ALL_ORIGINS = False

# Without a mail server nothing is sent: pages show the links instead.
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="dummymail://")
vars().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="SkinClinic <no-reply@localhost>")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        # The first one's challenge makes a missing sign-in a 401.
        "skinclinic.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "skinclinic.api.permissions.ClinicPermission",
        "skinclinic.api.permissions.KnownParameters",
    ],
    "DEFAULT_PAGINATION_CLASS": "skinclinic.api.pagination.KeysetPagination",
    "DEFAULT_FILTER_BACKENDS": ["skinclinic.api.filtering.OwnRowsFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "skinclinic.api.schema.Schema",
    "EXCEPTION_HANDLER": "skinclinic.api.errors.handle",
    "DEFAULT_PARSER_CLASSES": [
        "skinclinic.api.parsers.JSONParser",
        "skinclinic.api.parsers.FormParser",
        "skinclinic.api.parsers.MultiPartParser",
    ],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "skinclinic.api.negotiation.AnswersAnyway",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "SkinClinic",
    "DESCRIPTION": "Photos, analyses, diagnoses and models of the clinics you belong to. Send `Authorization: Token …`."
    " A walk from the first call to the report, with curl and Python, and what every code of an error means, is the"
    " product's docs/api.md.",
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "skinclinic.api.schema.with_errors",
    ],
    "SERVE_PERMISSIONS": ["skinclinic.api.permissions.ClinicPermission"],
    "ENUM_NAME_OVERRIDES": {
        "PhotoKindEnum": "skinclinic.models.photo.Photo.Kind",
        "DiagnosisKindEnum": "skinclinic.models.diagnosis.Diagnosis.Kind",
        "DiseaseEnum": "skinclinic.models.diagnosis.DISEASE_CHOICES",
        "DiseaseKeyEnum": "skinclinic.vocabulary.diseases.DISEASE_KEYS",
        "JobStateEnum": "skinclinic.models.job.Job.State",
        "StudyStateEnum": "reader_study.models.study.Study.State",
        "StudyResultStateEnum": "reader_study.models.result.StudyResult.State",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# "json": a line of JSON each, for machines that gather logs; "text": for people.
LOG_FORMAT = env("LOG_FORMAT", default="text" if EMBEDDED else "json")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "masked": {
            "()": "skinclinic.web.logs.MaskingFormatter",
            "fmt": "%(asctime)s %(levelname)s %(name)s: %(message)s",
        },
        "json": {"()": "skinclinic.web.logs.JsonFormatter"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "json" if LOG_FORMAT == "json" else "masked",
        }
    },
    "root": {"handlers": ["console"], "level": env("LOG_LEVEL", default="WARNING")},
    "loggers": {
        # Without the handlers they come with, which mask nothing.
        "django": {"handlers": []},
        "django.server": {"handlers": ["console"], "propagate": False},
    },
}
