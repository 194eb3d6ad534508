"""A curator's first steps."""

from django.utils.translation import gettext_lazy as _

from skinclinic.archive.models import DatasetVersion, Entry, Import
from skinclinic.models import Member, Role
from skinclinic.services.first_steps import Step, register


def _has_imported(member: Member) -> bool:
    return Import.objects.filter(clinic=member.clinic_id, created_by=member.user_id).exists()


def _has_reviewed(member: Member) -> bool:
    return Entry.objects.filter(clinic=member.clinic_id, reviewed_by=member.user_id).exists()


def _has_frozen(member: Member) -> bool:
    return DatasetVersion.objects.filter(dataset__clinic=member.clinic_id, frozen_by=member.user_id).exists()


register(
    Role.CURATOR,
    [
        (10, Step(_("Import an archive"), "import-new", "imports", _has_imported)),
        (20, Step(_("Review its photos"), "review", "review", _has_reviewed)),
        (30, Step(_("Decide which photos are the same"), "duplicates", "duplicates")),
        (40, Step(_("Make a dataset and freeze it"), "datasets", "datasets", _has_frozen)),
    ],
)
