"""Records of the model in use: begun when it is published, by the usual rule or one that an admin states; ended when
another model is, or another rule. A rule never changes."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from classifier.models import Analysis, ModelVersion, Monitor, ThresholdSet
from classifier.services.following import rules
from classifier.services.following.rules import Reference, Rule
from classifier.services.models import registry
from skinclinic.models import Clinic, User
from skinclinic.services import audit
from skinclinic.services.people import lock
from skinclinic.services.refused import Refused
from skinclinic.web.inputs import storable


def of_clinic(clinic: Clinic) -> QuerySet[Monitor]:
    """Its records, the newest first."""
    return Monitor.objects.filter(clinic=clinic).select_related(
        "model_version", "threshold_set", "started_by"
    )


def current(clinic: Clinic) -> Monitor | None:
    """The record of the model in use; None while none is begun yet."""
    return of_clinic(clinic).filter(ended_at=None).first()


def lacks(clinic: Clinic) -> bool:
    """Whether the model in use is followed by no record, although it has answered."""
    version = registry.published(clinic)
    if version is None:
        return False
    row = current(clinic)
    if row is not None:
        return row.model_version_id != version.pk or row.followed_since != since(clinic, version)
    return Analysis.objects.asked_for().filter(clinic=clinic, model_version=version).exists()


def begin(clinic: Clinic) -> Monitor | None:
    """Follow the model in use by the usual rule, where no record does; None where there is nothing to begin."""
    version = registry.published(clinic)
    if version is None or not lacks(clinic):
        return None
    chosen = version.usual_thresholds(clinic.pk)
    return _start(clinic, version, chosen, rules.usual(version, clinic, chosen), None, "")


def state(
    clinic: Clinic, version: ModelVersion, chosen: ThresholdSet, rule: Rule, user: User, reason: str
) -> Monitor:
    """Begin a new record by another rule; what was counted before belongs to the old one. Raises Refused."""
    if not reason or len(reason) > 200 or not storable(reason):
        raise Refused("reason", _("Say why, in one line of at most 200 characters."))
    row = _start(clinic, version, chosen, rule, user, reason)
    if row is None:
        raise Refused("", _("Another model was published meanwhile. Look at it and state its rule again."))
    return row


def since(clinic: Clinic, version: ModelVersion) -> datetime:
    """When the model came into use; one that nobody published was so from the beginning."""
    line = registry.current_line(clinic)
    return line.published_at if line and line.model_version_id == version.pk else clinic.created_at


@transaction.atomic
def _start(
    clinic: Clinic,
    version: ModelVersion,
    chosen: ThresholdSet | None,
    rule: Rule,
    user: User | None,
    reason: str,
) -> Monitor | None:
    lock(clinic)
    if registry.published(clinic) != version:
        return None
    before = current(clinic)
    if before is not None:
        Monitor.objects.filter(pk=before.pk).update(ended_at=timezone.now())
    row = Monitor.objects.create(
        clinic=clinic, model_version=version, threshold_set=chosen, rule=rule.to_json(),
        followed_since=since(clinic, version), started_by=user, reason=reason,
    )  # fmt: skip
    audit.record(
        "model.follow", row, by=user, reason=reason,
        before={"rule": said(before)} if before else None, after={"rule": said(row)},
    )  # fmt: skip
    return row


def said(row: Monitor) -> dict[str, object]:
    """The rule in short, for the audit."""
    rule = Rule.of_json(row.rule)
    return {
        "model": row.model_version.name,
        "thresholds": row.threshold_set.name if row.threshold_set else "",
        "alpha": rule.alpha,
        **{name: _said(one) for name, one in rule.references.items()},
    }


def _said(reference: Reference) -> float | str:
    return f"first {reference.of} patients" if reference.share is None else round(reference.share, 4)
