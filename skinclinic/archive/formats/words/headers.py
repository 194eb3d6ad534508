"""What columns are called where no format says what they hold. Pure.

Only offered: a person sees each beside some of its cells before anything is read by it.
"""

from collections.abc import Iterable

from skinclinic.archive.formats.words.folding import fold, table

_FIELDS = table(
    {
        "file": "file|file name|filename|image|image name|image file|image id|img id|photo|photo file|파일|파일명|"
        "파일 이름|사진|사진 파일|사진명|이미지|이미지 파일|이미지명",
        "external_id": "external id|isic id|name in the source|출처에서의 이름",
        "label": "label|diagnosis|dx|disease|diagnostic|class|진단|진단명|질환|질환명|병명|최종진단|최종 진단",
        "patient": "patient|patient id|patient code|subject|subject id|person id|환자|환자번호|환자 번호|환자 id|"
        "등록번호|병록번호|차트번호",
        "lesion": "lesion|lesion id|lesion number|병변|병변번호|병변 번호",
        "age": "age|age approx|age years|age at diagnosis|나이|연령|만나이|만 나이",
        "sex": "sex|gender|성별",
        "skin_type": "skin type|fitzpatrick|fitzpatrick skin type|fitzpatrick type|phototype|skin phototype|피부형|"
        "피부 유형|피부타입|피츠패트릭 피부 유형",
        "ethnicity": "ethnicity|race|population|인종|민족",
        "site": "site|anatom site|anatomical site|anatomic site|body site|localization|localisation|location|region|"
        "부위|병변부위|병변 부위|해부학적 부위|위치",
        "taken_on": "taken on|date|date taken|photo date|acquisition date|날짜|촬영일|촬영일자|촬영 날짜|사진 날짜",
        "kind": "kind|image type|photo type|modality|종류|사진종류|사진 종류|촬영 방법",
        "is_proven": "is proven|proven|biopsed|biopsied|biopsy|biopsy proven|조직검사 여부|조직검사 확진",
        "confirmed_by": "confirmed by|diagnosis confirm type|dx type|confirmation|confirmation type|확진|확진방법|"
        "확진 방법|확인 방법|진단방법|진단 방법",
        "subtype": "subtype|아형",
        "icd10": "icd10|icd 10|icd code|icd 10 code|상병코드|상병 코드|진단코드|진단 코드",
        "impression": "impression|clinical impression|clinical diagnosis|임상 인상|임상진단|임상 진단",
        "text": "text|pathology|pathology text|pathology report|병리|병리소견|병리 소견|병리 결과",
        "sha256": "sha256|sha 256",
        "split": "split|train or test",
        "is_synthetic": "is synthetic|synthetic|합성",
        "tags": "tags|태그",
    }
)  # fmt: skip


def offered(columns: Iterable[str]) -> dict[str, str]:
    """{field: the column whose name says that it holds it}; of two the one of the field's own name, else none."""
    found: dict[str, list[str]] = {}
    for column in columns:
        if field := _FIELDS.get(fold(column)):
            found.setdefault(field, []).append(column)
    own = {field: [name for name in names if fold(name) == fold(field)] for field, names in found.items()}
    return {
        field: (own[field] or names)[0] for field, names in found.items() if len(own[field] or names) == 1
    }
