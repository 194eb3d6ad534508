"""The engine: how jobs reach workers. Rows carry the promise; the broker only wakes."""

from django.core.exceptions import ImproperlyConfigured

from .base import DEBUG, EMBEDDED, SKINCLINIC_HOME, env
from .environment import with_password

CELERY_BROKER_URL = with_password(
    env("CELERY_BROKER_URL", default="embedded://localhost"), env("REDIS_PASSWORD", default="")
)
if CELERY_BROKER_URL.startswith("embedded") and not (EMBEDDED or DEBUG):
    raise ImproperlyConfigured(
        "The embedded broker is for one machine. Set CELERY_BROKER_URL to a Redis address, "
        "or SKINCLINIC_EMBEDDED=1 if one machine is what you have."
    )
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"folder": str(SKINCLINIC_HOME / "broker"), "polling_interval": 0.05}
    if CELERY_BROKER_URL.startswith("embedded")
    else {"socket_connect_timeout": 1, "visibility_timeout": 3600}
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False

# How long a worker may be silent about a job before another takes it over. One that lives is never silent.
JOB_LEASE_SECONDS = env.int("JOB_LEASE_SECONDS", default=60)

# "auto" takes CUDA when it is there, else ONNX Runtime on the CPU.
CLASSIFIER_RUNTIME = env("CLASSIFIER_RUNTIME", default="auto")
