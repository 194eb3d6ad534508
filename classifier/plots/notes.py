"""What the metrics note beside a figure, or in its place, for people."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

# Only the one that is asked for is translated.
_NOTES = {
    "no_positives": gettext_noop("not evaluable: no photo of it"),
    "no_negatives": gettext_noop("not evaluable: no other photo"),
    "one_in_class": gettext_noop("one photo in a class: no interval"),
    "perfect_separation": gettext_noop("perfect separation: no interval"),
    "no_variance": gettext_noop("no variance: no interval"),
    "same_order": gettext_noop("the same order"),
    "too_few_positives": gettext_noop("too few"),
    "no_fit": gettext_noop("no fit"),
    "no_probabilities": gettext_noop("not evaluable: the scores are no probabilities"),
    "no_scores": gettext_noop("not evaluable: no scores of a model"),
    "no_answers": gettext_noop("not evaluable: no answers"),
    "not_a_choice": gettext_noop("not among the choices"),
    "one_reader": gettext_noop("not evaluable: one reader"),
    "normal_limit": gettext_noop("the readers do not differ: normal distribution"),
    "one_answer": gettext_noop("not evaluable: one answer throughout"),
    "no_common_answers": gettext_noop("not evaluable: no photo that all readers answered"),
    "no_discordant": gettext_noop("no photo on which one alone was right"),
    "other_images": gettext_noop("readers read different photos"),
    "not_asked": gettext_noop("not evaluable: readers were not asked"),
    "no_model_answer": gettext_noop("not evaluable: the model does not answer this question"),
    "no_threshold": gettext_noop("not evaluable: no threshold was fixed for it"),
    "pooled": gettext_noop("datasets together: an estimate, from which nothing is concluded"),
    "many_missing": gettext_noop("too many answers are missing"),
    "no_common_images": gettext_noop("not comparable: no photo in both sessions"),
    "too_few_cases": gettext_noop("too few"),
    "one_test": gettext_noop("there is one test"),
    "no_size": gettext_noop("no number of cases is enough"),
    "constant_scores": gettext_noop("not evaluable: the score is the same for every photo"),
    "no_freedom": gettext_noop("too few readers or photos: no interval"),
    "no_auc_of_a_reader": gettext_noop("not evaluable: a reader rated one class only"),
    "biased_variance": gettext_noop(
        "the unbiased estimate of the variance is below 0; the biased one stands for it"
    ),
    "independent": gettext_noop(
        "the estimate of the variance is smaller than a variance can be; that of independent answers stands for it"
    ),
    "narrow": gettext_noop(
        "the interval is too narrow: the estimate of the variance is smaller than a variance can be"
    ),
    "other_readers": gettext_noop("not comparable: not the same readers"),
    "blocks": gettext_noop("each reader read the part of the photos that the design gave them"),
    "not_assigned": gettext_noop("not assigned"),
}


def note_words(code: str) -> str:
    """A note of the metrics for people."""
    return _(_NOTES[code]) if code else ""
