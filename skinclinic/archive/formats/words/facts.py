"""Words for sexes, yes and no, kinds of photo, ways of confirmation, and for 'not known'."""

from functools import lru_cache

from skinclinic.archive.formats.words.folding import fold, table

UNKNOWN = {
    "", "na", "n/a", "nan", "none", "null", "unknown", "unk", "-", "?", "not specified", "unspecified", "not known",
    "not available", "nd", "missing", "모름", "미상", "알 수 없음", "알수없음", "불명",
}  # fmt: skip
_UNKNOWN_FOLDED = {fold(word) for word in UNKNOWN if word not in ("-", "?")}
SEXES = table(
    {
        "female": "female|f|woman|w|weiblich|frau|femme|feminin|kvinna|mujer|femenino|feminino|여|여자|여성",
        "male": "male|m|man|maennlich|männlich|mann|homme|masculin|hombre|masculino|남|남자|남성",
        "other": "other|diverse|divers|intersex|nonbinary|non-binary|기타",
    }
)
YES = {"true", "yes", "y", "1", "1.0", "t", "예", "네", "유", "있음", "시행"}
NO = {"false", "no", "n", "0", "0.0", "f", "아니오", "아니요", "무", "없음", "미시행"}
KINDS = table(
    {
        "close_up": "close_up|clinical|clinical: close-up|close up|closeup|macroscopic|macro|tbp tile: close-up|"
        "at an angle|임상|임상사진|근접",
        "overview": "overview|clinical: overview|tbp tile: overview|at distance|전경|원거리",
        "dermoscopic": "dermoscopic|dermoscopy|dermatoscopic|dermatoscopy|dermoscope|contact polarized|"
        "contact non-polarized|non-contact polarized|더모스코피|피부확대경|더마스코프",
    }
)
HISTOPATHOLOGY = "histopathology"
CONFIRMED_BY = (
    HISTOPATHOLOGY,
    "confocal microscopy with consensus dermoscopy",
    "serial imaging showing no change",
    "single image expert consensus",
    "single contributor clinical assessment",
)
PROOFS = table(
    {way: (way,) for way in CONFIRMED_BY}
    | {
        HISTOPATHOLOGY: "histopathology|histo|histology|histopathologic|histologically confirmed|biopsy|biopsied|"
        "pathology|excision|조직검사|조직병리|병리",
        "confocal microscopy with consensus dermoscopy": "confocal|confocal microscopy|"
        "confocal microscopy with consensus dermoscopy",
        "serial imaging showing no change": "follow_up|follow-up|followup|serial imaging showing no change|추적관찰",
        "single image expert consensus": "consensus|expert consensus|single image expert consensus|전문가합의",
        "single contributor clinical assessment": "clinical|clinical assessment|clinical diagnosis|"
        "single contributor clinical assessment|임상진단",
    }
)


@lru_cache(maxsize=1024)
def is_unknown(text: str) -> bool:
    text = text.strip()
    return text.casefold() in UNKNOWN or fold(text) in _UNKNOWN_FOLDED
