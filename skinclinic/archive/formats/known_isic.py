"""The ISIC Archive, its challenges, and the collections that went into them: HAM10000, BCN20000, MILK10k."""

from dataclasses import replace

from skinclinic.archive.formats.layouts import Layout, labels, words
from skinclinic.archive.formats.problems import _

# 85 stands for 85 and more: the archive cuts ages there, so that nobody is known by a great age.
_AGES = {"85": "85+", "85.0": "85+"}
_SITES = {"fingernail": "finger", "toenail": "toe"}
_DIAGNOSIS = tuple(f"diagnosis_{level}" for level in range(1, 6))
_SITE = ("anatom_site_special", "anatom_site_general", *(f"anatom_site_{level}" for level in range(1, 6)))

# Columns as its downloads have them in 2024, 2025 and since May 2026; "diagnosis" is "A:B:C" or one term.
ISIC = Layout(
    columns={
        "file": "isic_id", "patient": "patient_id", "lesion": "lesion_id", "age": ("age_approx", "age"), "sex": "sex",
        "skin_type": "fitzpatrick_skin_type", "kind": "image_type", "confirmed_by": "diagnosis_confirm_type",
        "is_synthetic": "image_manipulation",
    },
    levels={"label": ("diagnosis", *_DIAGNOSIS), "site": _SITE},
    words=words(
        age=_AGES, site=_SITES,
        is_synthetic={"synthetic": "yes", "altered": "no", "instrument only": "no"},
    ),
)  # fmt: skip

_CHALLENGE = labels(mm="MEL", nevus="NV", bcc="BCC", ak="AK", df="DF", scc="SCC")
_CHALLENGE_SAYS = {
    "AKIEC": _("Actinic keratosis or intraepithelial carcinoma (Bowen's disease)"),
    "BKL": _("Benign keratosis: seborrheic keratosis, solar lentigo or lichen planus-like keratosis"),
    "VASC": _("Vascular lesion: angioma, angiokeratoma, pyogenic granuloma or hemorrhage"),
    "SCCKA": _("Squamous cell carcinoma or keratoacanthoma"),
    "BEN_OTH": _("Another benign proliferation"),
    "MAL_OTH": _("Another malignant proliferation"),
    "INF": _("An inflammatory or infectious condition"),
    "UNK": _("None of the others"),
}
_SAYS_SMALL = {word.casefold(): text for word, text in _CHALLENGE_SAYS.items()} | _CHALLENGE_SAYS

# Several photos of a lesion, close-up and dermoscopic, a line each, joined by the lesion's name; what holds of the
# lesion may lie in a second table, its diagnosis as one column or, as MILK10k has it, as one of eleven. So this product
# exports its datasets, with its own word for the diagnosis, which says more than the levels where those have none.
ISIC_MULTI = replace(
    ISIC,
    columns={**ISIC.columns, "subtype": "subtype", "split": "split"},
    levels={"label": ("diagnosis", *_DIAGNOSIS, "label"), "site": ("site", *_SITE)},
    one_hot=("AKIEC", "BCC", "BEN_OTH", "BKL", "DF", "INF", "MAL_OTH", "MEL", "NV", "SCCKA", "VASC"),
    labels=_CHALLENGE, says=_CHALLENGE_SAYS, joined_by="lesion_id",
)  # fmt: skip

# ISIC 2018 and 2019: a column a disease; age, sex and site in a second table.
ISIC_2019 = Layout(
    columns={
        "file": "image", "lesion": "lesion_id", "age": "age_approx", "sex": "sex", "site": "anatom_site_general",
    },
    one_hot=("MEL", "NV", "BCC", "AK", "AKIEC", "BKL", "DF", "VASC", "SCC", "UNK"),
    labels=_CHALLENGE, words=words(age=_AGES, site=_SITES), fixed={"kind": "dermoscopic"}, says=_CHALLENGE_SAYS,
    joined_by="image",
)  # fmt: skip

ISIC_2020 = Layout(
    columns={
        "file": ("image_name", "isic_id"), "label": "diagnosis", "patient": "patient_id", "lesion": "lesion_id",
        "age": "age_approx", "sex": "sex", "site": ("anatom_site_general_challenge", "anatom_site_general"),
    },
    words=words(age=_AGES, site=_SITES), fixed={"kind": "dermoscopic"},
    says={"unknown": _("Benign, without a diagnosis")},
)  # fmt: skip

# Two photos a lesion, close-up and dermoscopic; the diagnosis of the lesion in a second, one-hot table. Its skin tone
# is a scale of its own (0 very dark to 5 very light), not Fitzpatrick's.
MILK10K = Layout(
    columns={
        "file": "isic_id", "lesion": "lesion_id", "age": "age_approx", "sex": "sex",
        "site": ("site", "anatom_site_general"), "kind": "image_type", "is_synthetic": "image_manipulation",
        "confirmed_by": "diagnosis_confirm_type",
    },
    one_hot=("AKIEC", "BCC", "BEN_OTH", "BKL", "DF", "INF", "MAL_OTH", "MEL", "NV", "SCCKA", "VASC"),
    labels=_CHALLENGE,
    words=words(
        age=_AGES, site=_SITES | {"head_neck_face": "head_neck"},
        is_synthetic={"synthetic": "yes", "altered": "no", "instrument only": "no"},
    ),
    says=_CHALLENGE_SAYS, joined_by="lesion_id",
)  # fmt: skip

HAM10000 = Layout(
    columns={
        "file": "image_id", "label": "dx", "lesion": "lesion_id", "age": "age", "sex": "sex",
        "site": "localization", "confirmed_by": "dx_type",
    },
    labels=labels(mm="mel", nevus="nv", bcc="bcc", df="df"),
    words=words(age=_AGES, site=_SITES), fixed={"kind": "dermoscopic"}, says=_SAYS_SMALL,
)  # fmt: skip

BCN20000 = Layout(
    columns={
        "file": ("bcn_filename", "isic_id"), "label": "diagnosis", "lesion": "lesion_id", "age": "age_approx",
        "sex": "sex", "site": "anatom_site_general", "taken_on": "capture_date", "split": "split",
        "confirmed_by": "diagnosis_confirm_type",
    },
    labels=_CHALLENGE, words=words(age=_AGES, site=_SITES), fixed={"kind": "dermoscopic"}, says=_CHALLENGE_SAYS,
)  # fmt: skip
