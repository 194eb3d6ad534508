"""Whether a patient code gives the patient away. Pure; a code stands for a person without naming one."""

import re
from collections.abc import Iterable

from skinclinic.web.inputs import one_spelling

EMAIL, RESIDENT_NUMBER = "email", "resident_number"
NAME, PHONE, MARKS, LOST = "name", "phone", "marks", "lost"

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
# Six digits of a date of birth, a digit 1-8 for century and sex, six more.
_RESIDENT_NUMBER = re.compile(r"\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])[-\s]?[1-8]\d{6}")
_PHONE = re.compile(r"(?<!\d)(\+82[-\s]?1|01)[016789][-\s]?\d{3,4}[-\s]?\d{4}(?!\d)")
_HANGUL_NAME = re.compile(r"[가-힣]{2,4}")
_LATIN_NAME = re.compile(r"[^\W\d_]{2,}(['’-][^\W\d_]+)*,?(\s+[^\W\d_]+(['’-][^\W\d_]+)*\.?){1,3}")

# Beside a number a word is a name only if it can be one: real codes are made of words and numbers, too.
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_TITLE = re.compile(r"[^\W\d_a-z][^\W\d_A-Z]+(?:['’-][^\W\d_]+)*")
# What a date of birth leaves: 84, 1984, 840215, 19840215 (with marks between as well).
_BIRTH = re.compile(r"(?<!\d)(\d\d|(19|20)\d\d|((19|20)?\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])))(?!\d)")
_SURNAMES = frozenset(
    "김이박최정강조윤장임한오서신권황안송전홍유고문양손배백허남심노하곽성차주우구민류나진지엄채원천방공현함변염여추도"
    "소석선설마길연위표명기반라왕금옥육인맹제모탁국은편용사독동봉피경"
)
# Written in capitals a word may be a name or a part of a code: beside one of these it is a name.
_OF_LATIN_NAMES = """
    kim lee yi rhee park pak bak choi choe jung jeong chung cho jo kang gang yoon yun jang chang lim rim im han oh seo
    suh shin kwon gwon hwang ahn song yoo yu ryu hong jeon chun ko koh moon mun yang son sohn bae baek paik heo huh hur
    nam shim sim noh roh ha kwak kwack sung seong cha joo ju woo koo gu goo min na ra jin ji eom um chae won bang gong
    kong hyun ham byun yeom yum yeo choo chu doh so seok sun seol ma gil yeon wi pyo myung ki ban wang kum geum ok yook
    smith johnson williams jones garcia miller davis wilson anderson taylor moore jackson martin thompson harris clark
    lewis walker allen wright adams nelson campbell mitchell roberts phillips evans collins edwards morris murphy
    rogers kelly bennett nguyen tran pham li zhang liu chen zhao huang zhou wu tanaka suzuki sato watanabe takahashi
    ito yamamoto nakamura kobayashi mueller müller schmidt schneider weber meyer wagner becker schulz hoffmann martinez
    rodriguez hernandez lopez gonzalez perez sanchez silva santos khan singh kumar sharma patel ali ahmed hassan ivanov
    petrov
"""
_LATIN_SURNAMES = frozenset(_OF_LATIN_NAMES.split())
# As cameras, phones and messengers name a file, with the date and the number they give it.
_BY_CAMERA = re.compile(
    r"(img|dsc[nf]?|dscf|pxl|mvimg|vid|p|pic|image|photo|screenshot|kakaotalk|signal|whatsapp image|isic|"
    r"pat)[-_ ]?[\d(]|20\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])[-_]?\d{4,9}(?!\d)|[0-9a-f]{16,}$|[0-9a-f]{8}-[0-9a-f]{4}-",
    re.IGNORECASE,
)
# A date of birth, the number of a chart, of a resident or of a telephone.
_BORN = re.compile(r"(?<!\d)(19\d\d|200\d)[-. _](0?[1-9]|1[0-2])[-. _](0?[1-9]|[12]\d|3[01])(?!\d)")
_ALONE = re.compile(rf"(?<!\d)({_RESIDENT_NUMBER.pattern})(?!\d)")
_NUMBERS_OF_PERSONS = (re.compile(r"(?<!\d)\d{6,}(?!\d)"), _BORN, _RESIDENT_NUMBER, _PHONE)
# Of sex, age and respect, which stand beside names; and what codes are made of.
_BESIDE = "m f male female mr mrs ms dr dob born 남 여 남자 여자 세 살 생 년생 님 씨 환자"
_OF_CODES = """
    patient pat case study trial arm group cohort site clinic center centre hospital ward subject control visit lesion
    photo image series team lab river college university medical med general research adult child elder scan register
    batch sample test demo code chart record derm dermatology skin melanoma nevus mole left right
    연구 임상 진료 신환 구환 신규 성인 소아 서울 인천 제주 전북 전남 강원 경기 경북 경남 고려 연세 한양 성모 강남
    강북 강동 신촌 안암 구로 안산 원주 조직 반점 우측 등록 번호 사례 증례 대상 피험자 대조군 실험군 피부
    피부과 병동 외래 모반 흑색종 사마귀 기저암 전암 정상 조직검사 경과 사진
"""
_NOT_OF_A_NAME = frozenset((_BESIDE + _OF_CODES).split())
# What files are named after beside people.
_OF_BODIES = """
    face scalp forehead nose cheek ear lip chin neck chest abdomen back shoulder arm upper lower forearm hand finger
    buttock thigh leg foot toe palm sole trunk front side close up overview dermoscopy dermoscopic before after new old
    copy final first second third growing dark red black brown blue big small the of on my
    얼굴 안면 안면부 두피 이마 코 볼 뺨 귀 입술 턱 목 가슴 배 복부 등 어깨 팔 손 손등 손바닥 손가락 엉덩이 허벅지 다리
    발 발등 발바닥 발가락 왼쪽 오른쪽 좌측 왼팔 왼손 전체 근접 확대 정면 측면 병변 원본 복사본 최종
    수술 수술전 수술후 시술전 시술후
"""
_OF_THE_BODY = frozenset(_OF_BODIES.split())


def tidy(code: str) -> str:
    """The code in one spelling."""
    return one_spelling(code)


def in_text(code: str) -> re.Pattern[str]:
    """Finds the code in a text however it is spelt there: P-0001, p0001, P 0001."""
    parts = re.findall(r"\d+|[^\W\d_]+", code) or [code]
    spelt = r"[\W_]{0,3}".join(re.escape(part) for part in parts)
    return re.compile(rf"(?<![^\W_]){spelt}(?![^\W_])", re.IGNORECASE)


def without_codes(text: str, codes: Iterable[str]) -> str:
    """The text without these codes."""
    for code in codes:
        text = in_text(code).sub("–", text)
    return text


def refused(code: str) -> str:
    """Why the code must not be used: MARKS, LOST, EMAIL, RESIDENT_NUMBER, PHONE, or '' for a usable one."""
    if "\N{REPLACEMENT CHARACTER}" in code:
        return LOST
    if any(not character.isprintable() for character in code):
        return MARKS
    return leads_to_person(code)


def leads_to_person(code: str) -> str:
    """EMAIL, RESIDENT_NUMBER or PHONE, or ''."""
    if _EMAIL.search(code):
        return EMAIL
    if _RESIDENT_NUMBER.search(code):
        return RESIDENT_NUMBER
    return PHONE if _PHONE.search(code) else ""


def doubtful(code: str) -> str:
    """What the code looks like, for a person to judge: NAME or ''."""
    if _HANGUL_NAME.fullmatch(code) or _LATIN_NAME.fullmatch(code):
        return NAME
    words = [word for word in _WORD.findall(code) if word.casefold() not in _NOT_OF_A_NAME]
    if _has_hangul_name(words) or _has_latin_name(words, code):
        return NAME
    return ""


def is_of_person(stem: str, *, numbers: bool = True) -> bool:
    """Whether a file's name, without its ending, looks like a person's, or (``numbers``) holds a date of birth or a
    long number as patients have; what cameras and phones write does not."""
    spaced = " ".join(re.sub(r"[_.+\-]+", " ", stem).split())
    by_camera = bool(_BY_CAMERA.match(stem))
    if _EMAIL.search(stem) or _ALONE.search(stem):
        return True
    if numbers and not by_camera and _has_number_of_person(stem, spaced):
        return True
    words = [word for word in _WORD.findall(spaced) if word.casefold() not in _NOT_OF_A_NAME | _OF_THE_BODY]
    if _has_hangul_name(words):
        return True
    parts = [part for word in words for part in re.split("[-’']", word) if len(part) > 1]
    return sum(bool(_TITLE.fullmatch(word)) for word in words) > 1 or _is_surname_and_given_name(parts)


def _has_number_of_person(stem: str, spaced: str) -> bool:
    return any(pattern.search(text) for pattern in _NUMBERS_OF_PERSONS for text in (stem, spaced))


def _has_hangul_name(words: list[str]) -> bool:
    """A surname and a given name, alone beside a number, or long enough to be told from other words."""
    words = [re.sub("(님|씨|남|여)$", "", word) if len(word) > 3 else word for word in words]
    if len(words) == 2 and words[0] in _SURNAMES:
        words = ["".join(words)]
    shortest = 2 if len(words) == 1 else 3
    return any(
        _HANGUL_NAME.fullmatch(word) and len(word) >= shortest and word[0] in _SURNAMES for word in words
    )


def _has_latin_name(words: list[str], code: str) -> bool:
    """Two words written as names are, or in capitals with a surname among them, or any two beside what may be a date of
    birth."""
    if not re.search(r"\d", code) or len(words) > 4:
        return False
    long = [word for word in words if len(word) > 1 and not _HANGUL_NAME.fullmatch(word)]
    titled = [word for word in long if _TITLE.fullmatch(word)]
    if len(titled) > 1:
        return True
    parts = [part for word in long for part in re.split("[-’']", word) if len(part) > 1]
    if _is_surname_and_given_name(parts):
        return True
    two_words = len(long) > 1 and all(len(word) > 2 for word in long)
    one_and_initial = bool(titled) and len(words) > 1
    return bool(_BIRTH.search(code)) and (two_words or one_and_initial)


def _is_surname_and_given_name(words: list[str]) -> bool:
    """Whether two or three words in one case hold a surname, first or last, beside what can be spoken as a name."""
    if len(words) not in (2, 3):
        return False
    for surname, given in ((words[0], words[1:]), (words[-1], words[:-1])):
        spoken = all(re.search("[aeiouy]", word, re.I) for word in given)
        if surname.casefold() in _LATIN_SURNAMES and spoken and len("".join(given)) > 2:
            return True
    return False
