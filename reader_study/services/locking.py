"""The study's row, held until the transaction ends, in the state that a change needs."""

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from reader_study.models import Study
from skinclinic.services.refused import Refused


class ChangedMeanwhile(Refused):
    """What was found out before the lock no longer holds."""

    def __init__(self):
        super().__init__(
            "state", _("The study was changed at the same moment. Look at it as it is now and try again.")
        )


def lock(study: Study) -> Study:
    """The row as it is now. On SQLite every writing transaction already excludes the others."""
    return _there(Study.objects.select_for_update(of=("self",)), study)


def look(study: Study) -> Study:
    """The row as it is now, not held: for finding out what takes long. Whoever acts on it locks it afterwards and
    checks that it is still the same."""
    return _there(Study.objects.all(), study)


def look_draft(study: Study) -> Study:
    """The same of a draft. Raises Refused for any other."""
    return _draft(look(study))


def lock_draft(study: Study) -> Study:
    """The row of a draft. Raises Refused for any other."""
    return _draft(lock(study))


def _there(rows: QuerySet[Study], study: Study) -> Study:
    row = rows.select_related("clinic", "model_version").filter(pk=study.pk).first()
    if row is None:
        raise Refused("state", _("The study was deleted."))
    return row


def _draft(row: Study) -> Study:
    if not row.is_draft:
        raise Refused("state", _("The study is not a draft any more: what opening fixed cannot change."))
    return row


def lock_open(study: Study) -> Study:
    """The row of an open study. Raises Refused for any other."""
    row = lock(study)
    if not row.is_open:
        raise Refused("state", _("This can be done only while the study is open."))
    return row
