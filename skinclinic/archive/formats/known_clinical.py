"""Collections of clinical photos: PAD-UFES-20, DDI, Fitzpatrick17k, SCIN, derm7pt; and the product's own export."""

from skinclinic.archive.formats.layouts import Layout, labels, words
from skinclinic.archive.formats.problems import _

# Pacheco et al. 2020, doi:10.17632/zr7vgbcyr2.1. ``img_id`` is the file. SCC holds Bowen's disease too.
PAD_UFES_20 = Layout(
    columns={
        "file": ("file_name", "img_id"), "external_id": "img_id", "label": "diagnostic", "patient": "patient_id",
        "lesion": "lesion_id", "age": "age", "sex": "gender", "skin_type": "fitspatrick", "site": "region",
        "is_proven": "biopsed",
    },
    labels=labels(bcc="bcc", scc="scc", ak="ack", sk="sek", mm="mel", nevus="nev"),
)  # fmt: skip

# Daneshjou et al. 2022: every lesion biopsied; skin tones I–II, III–IV and V–VI as 12, 34, 56.
DDI = Layout(
    columns={"file": "DDI_file", "label": "disease", "skin_type": "skin_tone"},
    fixed={"confirmed_by": "histopathology"},
)

# Groh et al. 2021: the file is the hash of the picture; −1 is a skin type that nobody could tell.
FITZPATRICK17K = Layout(
    columns={"file": "md5hash", "label": "label", "skin_type": ("fitzpatrick_scale", "fitzpatrick")},
)

# Yim et al. 2024: up to three photos a case; the labels in a second table, weighed over several dermatologists.
SCIN = Layout(
    columns={
        "lesion": "case_id", "age": "age_group", "sex": "sex_at_birth", "skin_type": "fitzpatrick_skin_type",
    },
    photos={f"image_{number}_path": f"image_{number}_shot_type" for number in (1, 2, 3)},
    weighted="weighted_skin_condition_label",
    flags={
        "site": {
            "body_parts_head_or_neck": "head_neck", "body_parts_arm": "upper_limb", "body_parts_palm": "palm",
            "body_parts_back_of_hand": "hand", "body_parts_torso_front": "front_of_trunk",
            "body_parts_torso_back": "back", "body_parts_genitalia_or_groin": "unknown",
            "body_parts_buttocks": "buttock", "body_parts_leg": "lower_limb", "body_parts_foot_top_or_side": "foot",
            "body_parts_foot_sole": "sole", "body_parts_other": "other",
        },
        "ethnicity": {
            "race_ethnicity_american_indian_or_alaska_native": "American Indian or Alaska Native",
            "race_ethnicity_asian": "Asian", "race_ethnicity_black_or_african_american": "Black or African American",
            "race_ethnicity_hispanic_latino_or_spanish_origin": "Hispanic, Latino or Spanish origin",
            "race_ethnicity_middle_eastern_or_north_african": "Middle Eastern or North African",
            "race_ethnicity_native_hawaiian_or_pacific_islander": "Native Hawaiian or Pacific Islander",
            "race_ethnicity_white": "White", "race_ethnicity_other_race": "Other",
        },
    },
    words=words(
        sex={"OTHER_OR_UNSPECIFIED": "unknown"}, skin_type={"NONE_IDENTIFIED": "unknown"},
        kind={"CLOSE_UP": "close_up", "AT_AN_ANGLE": "close_up", "AT_DISTANCE": "overview"},
    ),
    joined_by="case_id",
)  # fmt: skip

# Kawahara et al. 2019: a close-up and a dermoscopic photo of each case.
DERM7PT = Layout(
    columns={"lesion": "case_num", "label": "diagnosis", "site": "location", "sex": "sex"},
    photos={"clinic": "close_up", "derm": "dermoscopic"},
    says={
        "melanosis": _("Melanosis"),
        "vascular lesion": _("A vascular lesion, not told apart further"),
        "miscellaneous": _("None of the others"),
    },
)

OWN_EXPORT = Layout(
    columns={
        "file": "file", "external_id": "photo", "label": "label", "patient": "patient", "lesion": "lesion",
        "age": "age", "sex": "sex", "skin_type": "skin_type", "ethnicity": "ethnicity", "site": "site",
        "kind": "kind", "is_proven": "proven", "confirmed_by": "confirmed_by", "subtype": "subtype",
        "icd10": "icd10", "impression": "impression", "text": "text", "sha256": "sha256", "split": "split",
        "is_synthetic": "synthetic", "tags": "tags",
    },
)  # fmt: skip
