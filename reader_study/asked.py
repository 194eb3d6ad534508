"""What a reader can be asked besides the diagnosis: the keys of the answers, as rows and files hold them. Pure."""

# In the place of a diagnosis: answers of their own, which count like a photo that was passed over.
CANNOT_JUDGE, OUT_OF_TIME = "cannot_judge", "out_of_time"
NO_DIAGNOSIS = (CANNOT_JUDGE, OUT_OF_TIME)
# The answer is kept and counts nowhere.
KNOWS_PATIENT = "knows_patient"
KINDS = (*NO_DIAGNOSIS, KNOWS_PATIENT)
# What a reader would do. A biopsy is what a malignant lesion needs.
MANAGEMENT = ("biopsy", "no_biopsy", "refer", "treat")
QUALITY = ("good", "acceptable", "poor")
LONGEST_COMMENT = 500
# Where an answer lies that was not given in the time the study allows.
EARLY, LATE = "early", "late"
