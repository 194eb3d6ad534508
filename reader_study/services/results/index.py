"""What the files of a study hold, in words."""

from django.utils.translation import gettext as _

ABOUT = {
    "report.json": lambda: _("Every number of the results, for programs"),
    "tables": lambda: _("A table with one fact a row"),
    "exchange": lambda: _("What iMRMC, RJafroc or MRMCaov read"),
    "methods": lambda: _("The methods paragraph"),
    "replay": lambda: _("What “Replay from files” and the command study_report read"),
}


def title(study: str) -> str:
    return study or _("Files of the study")
