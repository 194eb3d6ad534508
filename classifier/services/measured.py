"""Figures of models and GPUs for whoever watches the installation."""

import sys
from collections.abc import Iterator
from typing import Any

from classifier.models import MonitorAlarm
from classifier.runtimes import cuda
from classifier.services.models import registry
from skinclinic.engine import machine
from skinclinic.models import Clinic
from skinclinic.services.measured.figure import Figure, source

# More clinics than that have no line each.
_CLINICS = 200


@source
def models_in_use() -> Iterator[Figure]:
    used = Figure(
        "skinclinic_model_in_use_info", "The model that a clinic uses, by keys.", ("clinic", "model")
    )
    for clinic in Clinic.objects.order_by("pk")[:_CLINICS]:
        if version := registry.published(clinic):
            used.add(1, clinic.pk, version.pk)
    yield used
    alarms = Figure("skinclinic_model_alarms", "Alarms of models in use that nobody has ended.")
    alarms.add(MonitorAlarm.objects.filter(monitor__ended_at=None).count())
    yield alarms


@machine.probe
def gpus() -> dict[str, Any]:
    """Memory of the GPUs, in a process that runs networks on them; no other would load PyTorch to ask."""
    if (
        "torch" not in sys.modules
        or not cuda.is_available()
        or not sys.modules["torch"].cuda.is_initialized()
    ):
        return {}
    import torch

    found = []
    for number in range(torch.cuda.device_count()):
        left, total = torch.cuda.mem_get_info(number)
        found.append({"name": torch.cuda.get_device_name(number), "memory": total, "memory_left": left})
    return {"gpus": found}
