"""Why a model was refused, in the reader's language."""

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from classifier.networks.weights import ModelRejected
from skinclinic.presenters import job_errors

REASONS = {
    "bad_familiarity": _("What the manifest says of what the training photos are like is incomplete."),
    "bad_heatmap_check": _("What the manifest says of the check of heatmaps is incomplete."),
    "bad_name": _("The model's name may only have a-z, 0-9, dot, hyphen and underscore."),
    "bad_preprocessing": _("The preprocessing in the manifest is wrong."),
    "bad_thresholds": _("The thresholds in the manifest are incomplete or not from 0 to 1."),
    "bad_training_photos": _("What the manifest says of the training photos' hashes is incomplete."),
    "changed": _("The model was changed while it was being loaded."),
    "ambiguous_model": _("Several models have this name."),
    "does_not_compute": _("The network could not compute an answer."),
    "does_not_run": _("The model was run on a test photo and failed, so it cannot be published."),
    "doubled_class": _("The manifest names a class twice."),
    "familiarity_missing": _("The file that says what the training photos are like is missing."),
    "familiarity_not_described": _("The manifest does not speak of what the training photos are like."),
    "familiarity_unreadable": _("The file that says what the training photos are like cannot be read."),
    "familiarity_wrong_hash": _(
        "The file that says what the training photos are like is not the one the manifest describes."
    ),
    "manifest_incomplete": _("The manifest lacks something or holds values of a wrong kind."),
    "manifest_missing": _("The manifest is missing."),
    "manifest_unreadable": _("The manifest cannot be read."),
    "missing_disease": _("The manifest lacks some of the 12 diseases."),
    "name_taken": _("Another model already has this name."),
    "no_pooled_end": _("The network does not end in pooling and a linear layer."),
    "no_model": _("There is no model yet."),
    "not_run_yet": _("The model is being run on a test photo first. Try again in a moment."),
    "photos_missing": _("The list of the training photos' hashes is missing."),
    "photos_not_described": _("The manifest does not speak of the list of the training photos' hashes."),
    "photos_unreadable": _("The list of the training photos' hashes cannot be read."),
    "photos_wrong_hash": _("The list of the training photos' hashes is not the one the manifest describes."),
    "promised_thresholds": _("The manifest promises what only an evaluation here can: to cover the truth."),
    "scores_not_finite": _("The network computes what is no finite number."),
    "too_large_for_half": _("Some weights are too large for half precision."),
    "too_large": _("A file of the model is too large."),
    "unknown_architecture": _("The network named in the manifest is not known."),
    "unknown_disease": _("The manifest names diseases that are not among the 12."),
    "weights_do_not_fit": _("The weights do not fit the network."),
    "weights_incomplete": _("The weights are incomplete."),
    "weights_missing": _("The weights are missing."),
    "weights_not_finite": _("Some weights are not finite numbers."),
    "weights_not_floating": _("Some weights are stored as numbers that no network computes with."),
    "weights_overlap": _("Some weights share their place in the file with others."),
    "weights_unreadable": _("The weights cannot be read; only safetensors files are accepted."),
    "wrong_hash": _("The weights are not those the manifest describes."),
    "wrong_order": _("The diseases in the manifest stand in a wrong order."),
    "wrong_outputs": _("The network and the manifest differ in the number of outputs."),
    "wrong_parameters": _("The weights have other names or shapes than the network needs."),
}

# Of words that no other job means otherwise.
_COMMON = frozenset({"ambiguous_model", "bad_name", "changed", "name_taken", "no_model", "too_large"})
job_errors.reasons.update({code: why for code, why in REASONS.items() if code not in _COMMON})

# Of these the message tells nothing that the sentence does not.
_SAYS_ALL = frozenset({"not_run_yet", "no_model"})


def refusal_words(error: ModelRejected) -> str:
    """The model's own message; in other languages than English after a sentence the reader understands."""
    if error.code in _SAYS_ALL and not (get_language() or "en").startswith("en"):
        return str(REASONS[error.code])
    return job_errors.with_reason(REASONS.get(error.code), error.message)
