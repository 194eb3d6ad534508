"""What was made of a model that was added once more, in words."""

from django.utils.translation import gettext as _

from classifier.models import ModelVersion
from classifier.services.models.again import CameAgain


def came_again(version: ModelVersion, again: CameAgain) -> str:
    said = [_("These weights are here already, as %(name)s.") % {"name": version}]
    if again.added:
        said.append(_("New thresholds from this description: %(names)s.") % {"names": ", ".join(again.added)})
    if again.kept:
        said.append(
            _("Thresholds of these names stand here with other values, and stay so: %(names)s.")
            % {"names": ", ".join(again.kept)}
        )
    if again.ignored:
        said.append(
            _("What the description says otherwise was not taken over: %(names)s.")
            % {"names": ", ".join(again.ignored)}
        )
    return " ".join(said)
