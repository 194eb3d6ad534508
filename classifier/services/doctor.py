"""What keeps models and their machine from working."""

from collections.abc import Iterator

from django.conf import settings

from classifier.models import ModelVersion, MonitorAlarm
from classifier.networks.weights import WEIGHTS_FILE
from classifier.runtimes import cuda
from classifier.services.following.rules import LIKENESS, QUALITY
from classifier.services.models import registry
from skinclinic.models import Clinic
from skinclinic.services.doctor.findings import Finding, check, failure, ok, warn

_ALARM_OF = {LIKENESS: "photos unlike its training photos", QUALITY: "the quality of photos"}


@check("models")
def models() -> Iterator[Finding]:
    versions = list(ModelVersion.objects.all())
    if not versions:
        yield failure("models", "no model is registered", "`manage.py register_models`")
        return
    for version in versions:
        if not (version.path / WEIGHTS_FILE).is_file():
            yield failure(
                "models", f"the weights of {version} are not in {version.path}",
                "`manage.py restore BACKUPS --missing-files`; one that came with the product: "
                "`manage.py register_models`.",
            )  # fmt: skip
    for clinic in Clinic.objects.order_by("pk"):
        if registry.published(clinic) is None:
            yield warn(
                "models", f"{clinic} has published no model: its photos get no answer",
                "An admin of the clinic publishes one, under Models.",
            )  # fmt: skip
    for alarm in MonitorAlarm.objects.filter(monitor__ended_at=None).select_related("monitor__clinic"):
        what = _ALARM_OF.get(alarm.endpoint, f"its {alarm.endpoint}")
        yield warn(
            "models", f"{alarm.monitor} has raised an alarm of {what} on {alarm.raised_at:%Y-%m-%d}",
            "A curator or an admin of the clinic looks at Models, After publishing.",
        )  # fmt: skip
    yield ok("models", f"{len(versions)} models are registered")


@check("GPU")
def gpu() -> Iterator[Finding]:
    if cuda.is_available():
        yield ok("GPU", "CUDA is there, and PyTorch uses it")
    elif settings.CLASSIFIER_RUNTIME == "torch":
        yield failure(
            "GPU", "CLASSIFIER_RUNTIME is torch, and there is no CUDA device: every photo takes long",
            "Look at `nvidia-smi` and the driver (docs/gpu.md), or set CLASSIFIER_RUNTIME=cpu.",
        )  # fmt: skip
    else:
        yield ok("GPU", "none here; photos are analysed on the processor")
