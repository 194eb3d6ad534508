"""Pages in Korean: what a Korean dermatologist meets, from signing in to the answer."""

import re

import pytest
from django.conf import settings
from django.test import Client
from django.utils.translation import override

from skinclinic.models import Lesion
from tests import factories
from tests.cases import each
from tests.skinclinic.pages import url

# Words of the product and of records that stay as they are.
LATIN = re.compile(r"[A-Za-z][a-z]{2,}(?: [a-z]{2,})+")


@pytest.fixture
def korean(client_for, admin_user) -> Client:
    client = client_for(admin_user)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "ko"
    return client


def text_of(response) -> str:
    """What is read on the page, without its markup, its scripts and what people wrote themselves."""
    assert response.status_code == 200
    page = response.content.decode()
    assert '<html lang="ko"' in page
    # The menu names each language in itself.
    page = re.sub(r'<button[^>]* name="language".*?</button>', " ", page, flags=re.DOTALL)
    page = re.sub(r"<(script|template|svg|code)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))


@each(
    "name, words",
    [
        ("worklist", ("작업 목록", "아직 증례가 없습니다")),
        ("upload", ("사진 업로드", "사진을 끌어다 놓거나 붙여 넣으세요", "고른 빛")),
        ("patients", ("환자", "첫 환자 등록")),
        ("patient-new", ("환자 코드", "출생 연도", "피츠패트릭 피부 유형")),
        ("members", ("구성원", "연구 코디네이터", "초대하기")),
        ("clinic-settings", ("병원 설정", "인상 먼저 기록")),
        ("models", ("모델", "아직 모델이 없습니다")),
        ("model-register", ("가중치", "모델 추가")),
        ("account", ("내 계정", "비밀번호 변경")),
        ("try", ("사진 분류 체험", "1시간이 지나면 아무것도 남지 않습니다.")),
        ("archive", ("아카이브에 아직 사진이 없습니다", "사진 가져오기")),
        ("review", ("아직 검토할 사진이 없습니다",)),
        ("duplicates", ("비슷한 사진", "아직 비교할 사진이 없습니다")),
        ("imports", ("아직 가져오기가 없습니다",)),
        ("import-new", ("데이터셋 이름", "업로드 후 확인")),
        ("datasets", ("아직 데이터셋이 없습니다", "병원 사진 추가")),
        ("sources", ("아직 출처가 없습니다",)),
        ("vocabulary", ("결절형", "12개 외 질환")),
    ],
)
def test_pages_speak_korean(korean, name, words):
    text = text_of(korean.get(url(name), follow=True))
    for word in words:
        assert word in text
    assert not [found for found in LATIN.findall(text) if found not in ("Hanok Dermatology",)]


def test_signing_in_speaks_korean(db):
    client = Client()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "ko"
    text = text_of(client.get(url("login")))
    assert "사용자 이름" in text and "비밀번호" in text and "로그인" in text


def test_a_browser_that_asks_for_korean_gets_it(db):
    assert "로그인" in text_of(
        Client().get(url("login"), headers={"accept-language": "ko-KR,ko;q=0.9,en;q=0.5"})
    )


def test_the_answer_is_read_in_korean(korean, analysis):
    text = text_of(korean.get(url("photo", analysis.photo_id)))
    for words in (
        "기저세포암종",
        "악성 합계",
        "모델은 진단하지 않습니다.",
        "열지도",
        "역치",
        "동의",
        "다른 진단",
        "모델 결과 미채택",
    ):
        assert words in text
    assert "Basal cell" not in text


def test_a_case_in_the_list_and_its_lesion_are_read_in_korean(korean, analysis, clinic, admin_user):
    lesion = analysis.photo.lesion
    lesion.patient = factories.make_patient(clinic, "K-7")
    lesion.site = "forearm"
    lesion.save()
    worklist = text_of(korean.get(url("worklist")))
    assert "전완" in worklist and "분석 완료" in worklist and "합성" in worklist
    page = text_of(korean.get(url("lesion", lesion.pk)))
    with override("ko"):
        assert str(Lesion.objects.get(pk=lesion.pk)) == "K-7 · 전완"
    assert "환자 K-7" in page and "병리" in page and "근접 사진" in page


def test_a_refused_photo_is_explained_in_korean(korean, clinic):
    from django.core.files.uploadedfile import SimpleUploadedFile

    file = SimpleUploadedFile("notes.txt", b"just words, no picture at all", "image/jpeg")
    response = korean.post(url("photo-upload"), {"file": file})
    assert response.status_code == 400
    assert "읽을 수 있는 사진이 아닙니다" in response.json()["error"]["message"]


def test_a_refused_model_is_explained_in_korean(korean, clinic):
    from django.core.files.uploadedfile import SimpleUploadedFile

    files = {
        "weights": SimpleUploadedFile("model.safetensors", b"no weights"),
        "manifest": SimpleUploadedFile("manifest.json", b"{}"),
    }
    response = korean.post(url("model-register"), files)
    assert response.status_code == 422
    assert "모델 설명에 빠진 항목이 있거나" in response.content.decode()


def test_the_report_is_written_in_korean(korean, analysis):
    import io

    import pypdf

    response = korean.get(url("analysis-report", analysis.pk))
    text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(response.content)).pages)
    assert "피부 사진 분석" in text and "악성 합계" in text and "출력" in text
