"""The study's row, held until the transaction ends, in the state that a change needs."""

from django.utils.translation import gettext as _

from reader_study.models import Study
from skinclinic.services.refused import Refused


def lock(study: Study) -> Study:
    """The row as it is now. On SQLite every writing transaction already excludes the others."""
    row = (
        Study.objects.select_for_update(of=("self",))
        .select_related("clinic", "model_version")
        .filter(pk=study.pk)
        .first()
    )
    if row is None:
        raise Refused("state", _("The study was deleted."))
    return row


def lock_draft(study: Study) -> Study:
    """The row of a draft. Raises Refused for any other."""
    row = lock(study)
    if not row.is_draft:
        raise Refused("state", _("The study is not a draft any more: what opening fixed cannot change."))
    return row


def lock_open(study: Study) -> Study:
    """The row of an open study. Raises Refused for any other."""
    row = lock(study)
    if not row.is_open:
        raise Refused("state", _("This can be done only while the study is open."))
    return row
