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
# A Redis that takes nothing, for want of memory or as its disk is full, answers with an error, at which a worker would
# end: it connects anew until something is taken.
CELERY_BROKER_CHANNEL_ERROR_RETRY = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False

# How long a worker may be silent about a job before another takes it over. One that lives is never silent.
JOB_LEASE_SECONDS = env.int("JOB_LEASE_SECONDS", default=60)

# "auto" takes CUDA when it is there, else the CPU, which "cpu" means; "onnx" was its name before.
CLASSIFIER_RUNTIME = env("CLASSIFIER_RUNTIME", default="auto").replace("onnx", "cpu")

# How finely photos of clinics, of the try page and of `classify` are analysed; evaluations and studies are always
# computed in full precision. "auto": bfloat16 where the processor has it in hardware, half precision on CUDA.
INFERENCE_PRECISION = env("INFERENCE_PRECISION", default="auto")
if INFERENCE_PRECISION not in ("auto", "f32", "bf16"):
    raise ImproperlyConfigured(f"INFERENCE_PRECISION is auto, f32 or bf16, not {INFERENCE_PRECISION!r}.")

# Threads of a network on a CPU. 0: OMP_NUM_THREADS, else one for each core that this process may use.
INFERENCE_NUM_THREADS = env.int("INFERENCE_NUM_THREADS", default=0)
if INFERENCE_NUM_THREADS < 0:
    raise ImproperlyConfigured("INFERENCE_NUM_THREADS is a number of threads, or 0.")
