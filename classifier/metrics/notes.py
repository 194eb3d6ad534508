"""Codes for why a figure is missing or needs a word of caution. Pages translate them."""

NO_POSITIVES = "no_positives"
NO_NEGATIVES = "no_negatives"
# One positive or one negative: an AUC but no variance.
ONE_IN_CLASS = "one_in_class"
# Variance 0 because every pair is in order (or every pair is reversed): no interval; offer the bootstrap.
PERFECT_SEPARATION = "perfect_separation"
# Variance 0 for another reason, as when all scores are equal.
NO_VARIANCE = "no_variance"
# The two scores put every pair in the same order: a difference of exactly 0.
SAME_ORDER = "same_order"
TOO_FEW_POSITIVES = "too_few_positives"
# The fit of a logistic recalibration has no finite solution.
NO_FIT = "no_fit"
# Scores below 0 or above 1 cannot be calibrated.
NO_PROBABILITIES = "no_probabilities"
# Reader studies: no scores of a model, no answer of a reader, a disease that could not be answered.
NO_SCORES = "no_scores"
NO_ANSWERS = "no_answers"
NOT_A_CHOICE = "not_a_choice"
# One reader says nothing about others: neither a spread among readers nor their agreement.
ONE_READER = "one_reader"
# The readers do not differ: infinitely many degrees of freedom, so the normal distribution.
NORMAL_LIMIT = "normal_limit"
# Agreement by chance is certain, as when all answers are the same.
ONE_ANSWER = "one_answer"
# There is no image that all readers answered.
NO_COMMON_ANSWERS = "no_common_answers"
# Nobody was right where the other was wrong.
NO_DISCORDANT = "no_discordant"
# Not every reader was shown every image.
OTHER_IMAGES = "other_images"
# The question was not put to the readers, or the model gives no answer to it.
NOT_ASKED, NO_MODEL_ANSWER = "not_asked", "no_model_answer"
# The protocol fixed no threshold for it.
NO_THRESHOLD = "no_threshold"
# Each reader was to read a part of the images, and did.
BLOCKS = "blocks"
# Too many answers are missing for a conclusion.
MANY_MISSING = "many_missing"
# The two sessions share no image.
NO_COMMON_IMAGES = "no_common_images"
# No number of cases reaches the power wanted.
NO_SIZE = "no_size"
# Fewer cases of a class than a test needs to keep its level.
TOO_FEW_CASES = "too_few_cases"

# A single test says nothing of what varies between tests; tests whose readers differ are not compared.
ONE_TEST = "one_test"
NO_AUC_OF_A_READER = "no_auc_of_a_reader"
OTHER_READERS = "other_readers"
# The reader was drawn to another session, or to other images.
NOT_ASSIGNED = "not_assigned"

# The unbiased estimate of a variance came out below 0, and a biased one stands for it; or below that of independent
# answers, which stands for it or does not.
BIASED_VARIANCE, INDEPENDENT, NARROW = "biased_variance", "independent", "narrow"
# Nearly all was read by one reader, or of one case.
NO_FREEDOM = "no_freedom"

# A score that is the same for every image tells nothing from anything: no interval, no threshold, no comparison.
CONSTANT_SCORES = "constant_scores"


def missing_class(positives: int, negatives: int) -> str:
    """Why there is no ROC curve; "" when there is one."""
    if not positives:
        return NO_POSITIVES
    return "" if negatives else NO_NEGATIVES
