"""A curator's first steps."""

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from skinclinic.archive.models import DatasetVersion, Entry, Import
from skinclinic.kept_queries import kept
from skinclinic.models import Member, Role
from skinclinic.services.first_steps import Step, register


def _has_imported(member: Member) -> bool:
    return bool(_imported(member.clinic_id, member.user_id))


def _has_reviewed(member: Member) -> bool:
    return bool(_reviewed(member.clinic_id, member.user_id))


def _has_frozen(member: Member) -> bool:
    return bool(_frozen(member.clinic_id, member.user_id))


@kept
def _imported(clinic: int, user: int) -> QuerySet[Import, int]:
    return Import.objects.filter(clinic=clinic, created_by=user).order_by().values_list("pk", flat=True)[:1]


@kept
def _reviewed(clinic: int, user: int) -> QuerySet[Entry, int]:
    return Entry.objects.filter(clinic=clinic, reviewed_by=user).order_by().values_list("pk", flat=True)[:1]


@kept
def _frozen(clinic: int, user: int) -> QuerySet[DatasetVersion, int]:
    frozen = DatasetVersion.objects.filter(dataset__clinic=clinic, frozen_by=user)
    return frozen.order_by().values_list("pk", flat=True)[:1]


register(
    Role.CURATOR,
    [
        (10, Step(_("Import an archive"), "import-new", "imports", _has_imported)),
        (20, Step(_("Review its photos"), "review", "review", _has_reviewed)),
        (30, Step(_("Decide which photos are the same"), "duplicates", "duplicates")),
        (40, Step(_("Make a dataset and freeze it"), "datasets", "datasets", _has_frozen)),
    ],
)
