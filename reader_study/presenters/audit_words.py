"""What the audit tells of studies, in words."""

from django.utils.translation import gettext_lazy as _

from reader_study.models import StudyEvent
from skinclinic.presenters import audit

audit.ACTIONS |= {f"study.{kind}": label for kind, label in StudyEvent.Kind.choices}
audit.ACTIONS |= {
    "reading.photo": _("Photo looked at in a reading"),
    "reading.view": _("Reading opened"),
    "study.answers": _("Answers looked at"),
    "study.fetch": _("File of a study downloaded"),
    "study.log": _("Log of a study looked at"),
    "study.photos": _("Photos of a study looked at"),
    "study.results": _("Results looked at"),
}
audit.KINDS |= {
    "reader_study.answer": _("Answer"),
    "reader_study.reader": _("Reader"),
    "reader_study.reading": _("Reading"),
    "reader_study.study": _("Study"),
}
