"""Candidates in the shadow, started and stopped by admins; one at a time in a clinic."""

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from classifier.models import ModelVersion, Shadow
from classifier.services.models import proof, registry
from skinclinic.models import Clinic, User
from skinclinic.services import audit
from skinclinic.services.people import lock
from skinclinic.services.refused import Refused


def of_clinic(clinic: Clinic) -> QuerySet[Shadow]:
    """Those of a clinic, the newest first."""
    return Shadow.objects.filter(clinic=clinic).select_related("model_version", "in_use", "started_by")


def current(clinic: Clinic) -> Shadow | None:
    """The one that goes on."""
    return of_clinic(clinic).filter(ended_at=None).first()


def latest_of(clinic: Clinic, version: ModelVersion) -> Shadow | None:
    """The newest one of a candidate beside the model in use now."""
    return of_clinic(clinic).filter(model_version=version, in_use=registry.published(clinic)).first()


@transaction.atomic
def start(version: ModelVersion, *, clinic: Clinic, user: User) -> Shadow:
    """Begin to compute new answers by the candidate as well. Raises Refused."""
    lock(clinic)
    in_use = registry.published(clinic)
    if in_use is None:
        raise Refused("model_version", _("No model is in use that it could be compared with."))
    if version == in_use:
        raise Refused("model_version", _("%(name)s is in use already.") % {"name": version})
    if not registry.available(clinic).filter(pk=version.pk).exists() or proof.obstacle(version):
        raise Refused("model_version", _("%(name)s has not run here yet, or failed to.") % {"name": version})
    if (busy := current(clinic)) is not None:
        words = _("%(name)s is in the shadow now. Stop it first.") % {"name": busy.model_version}
        raise Refused("model_version", words)
    row = Shadow.objects.create(clinic=clinic, model_version=version, in_use=in_use, started_by=user)
    audit.record("model.shadow", row, by=user, facts={"model": version.name, "in_use": in_use.name})
    return row


def stop(row: Shadow, user: User) -> bool:
    """End it; what it has computed and shown stays. False where it has ended already."""
    return end(row, Shadow.Ending.STOPPED, user)


@transaction.atomic
def end(row: Shadow, ending: str, user: User | None = None) -> bool:
    """End it for one of the reasons. False where it has ended already."""
    open_ones = Shadow.objects.filter(pk=row.pk, ended_at=None)
    if not open_ones.update(ended_at=timezone.now(), ending=ending):
        return False
    audit.record("model.shadow_stop", row, by=user, facts={"model": row.model_version.name, "why": ending})
    return True
