"""What the audit tells of analyses and models, in words."""

from django.utils.translation import gettext_lazy as _

from skinclinic.presenters import audit

audit.KINDS |= {
    "classifier.analysis": _("Analysis"),
    "classifier.evaluation": _("Evaluation"),
    "classifier.explanation": _("Explanation"),
    "classifier.monitor": _("Record of the model in use"),
    "classifier.monitoralarm": _("Alarm of the model in use"),
    "classifier.modelexport": _("Model for other programs"),
    "classifier.modelversion": _("Model"),
    "classifier.shadow": _("Candidate in the shadow"),
    "classifier.thresholdset": _("Thresholds"),
    "classifier.training": _("Training"),
}
