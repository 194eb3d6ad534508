"""Before the first photo and after the last: consent, questions about the reader, the reader's language, practice that
answers, the own result."""

import json

import pytest
from django.conf import settings
from django.utils import timezone, translation

from reader_study.models import Answer, PracticeTry, Reader, ReaderConsent, Study, StudyEvent, StudyImage
from reader_study.services.making import enrolment, studies, texts
from reader_study.services.results import methods_readers, own_result
from reader_study.views.reader_access import LANGUAGE_SECONDS
from tests.readings import Link, code_of
from tests.studies import make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(clinic, coordinator):
    return make_study(
        clinic, coordinator, labels=["bcc", "mm", "sk", "nevus"], practice=2, readers=3, asks_consent=True,
        consent_text="You may stop.", consent_in={"ko": "그만두어도 됩니다."}, asks_about_reader=True,
        shows_own_result=True,
    )  # fmt: skip


def text_of(link: Link, name: str = "reading") -> str:
    return link.get(name).content.decode()


def accept(link: Link):
    reader = enrolment.find(link.secret)
    return link.post("reading-consent", answer="yes", version=texts.consent_version(reader.study))


def test_consent_comes_first_and_is_kept_with_its_text(made, coordinator):
    link = Link(made.secrets[0])
    page = text_of(link)
    assert "You may stop." in page and "I have read the instructions" not in page
    link.post("reading-begin", confirmed="1")
    assert not link.row.instructions_read_at and link.get("reading-session").status_code == 302
    # A text that was changed meanwhile was not what the reader read.
    link.post("reading-consent", answer="yes", version="0" * 12)
    assert not ReaderConsent.objects.exists()
    accept(link)
    row = ReaderConsent.objects.get()
    assert (row.decision, row.text, row.language) == ("accepted", "You may stop.", "en")
    assert row.version == texts.consent_version(made.study)
    assert made.study.events.filter(kind=StudyEvent.Kind.CONSENTED, reader=made.readers[0]).count() == 1
    assert "About you" in text_of(link)
    accept(link)
    assert ReaderConsent.objects.count() == 1
    # Another text is another consent; who is reading is asked before going on, and the old decision stays.
    studies.amend(made.study, coordinator, {"consent_text": "You may stop at any time."}, "Ethics committee")
    assert "You may stop at any time." in text_of(link)
    accept(link)
    assert [one.text for one in ReaderConsent.objects.all()] == ["You may stop.", "You may stop at any time."]


def test_refusing_and_withdrawing_end_taking_part(made):
    refuses, leaves, stays = (Link(secret) for secret in made.secrets)
    version = texts.consent_version(made.study)
    refuses.post("reading-consent", answer="no", version=version)
    assert "You have refused to take part" in text_of(refuses)
    for link in (leaves, stays):
        accept(link)
        link.begin().answer(1)
    leaves.post("reading-leave")
    assert "Stop taking part" in text_of(leaves)
    leaves.post("reading-leave", sure="1")
    assert "You have withdrawn from" in text_of(leaves)
    assert code_of(leaves.answer(2)) == "withdrawn"
    assert list(made.study.readers.counted()) == [made.readers[2]]
    assert Answer.objects.filter(reading__reader=made.readers[1]).exists()
    said = " ".join(methods_readers.sentences(made.study))
    assert "2 accepted, 1 refused and 1 withdrew" in said
    # A study that asks nobody for consent has the same way out.
    Study.objects.update(asks_consent=False)
    assert "I no longer take part" in text_of(stays) and "I withdraw my consent" not in text_of(stays)


def test_what_readers_tell_is_kept_once_and_given_as_counts(made):
    link = Link(made.secrets[0])
    accept(link)
    link.post("reading-about", specialty="resident", years="7", dermoscopy="", device="phone")
    link.post("reading-about", specialty="resident", years="8", dermoscopy="", device="phone")
    assert made.readers[0].about.years == 8
    wrong = link.post("reading-about", specialty="king", years="99", device="phone")
    assert wrong.status_code == 422 and made.readers[0].about.specialty == "resident"
    assert ("Years of practice", "5–9", 1) in methods_readers.table(made.study)
    assert "Reader 1" not in str(methods_readers.table(made.study))
    link.row.reader.readings.update(finished_at=timezone.now())
    link.post("reading-about", specialty="nurse")
    made.readers[0].about.refresh_from_db()
    assert made.readers[0].about.specialty == "resident"


def test_a_reader_is_spoken_to_in_an_own_language(made):
    link = Link(made.secrets[0])
    Reader.objects.filter(pk=made.readers[0].pk).update(language="ko")
    page = link.get("reading")
    assert 'lang="ko"' in page.content.decode() and "그만두어도 됩니다." in page.content.decode()
    assert page.cookies[settings.LANGUAGE_COOKIE_NAME]["max-age"] == LANGUAGE_SECONDS
    link.post("reading-language", language="en")
    assert "You may stop." in text_of(link) and enrolment.language_of(link.secret) == "en"
    # The product's own texts are there in each language; a coordinator's own as given.
    study = made.study
    study.question, study.instructions = texts.default_question(), "Mine."
    with translation.override("ko"):
        korean = texts.default_question()
    assert texts.in_language(study, "question", "ko") == korean != study.question
    assert texts.in_language(study, "instructions", "ko") == "Mine."
    texts.fill(study)
    assert study.question_in["ko"] == korean and study.instructions_in == {}
    assert set(study.question_in) == {code for code, _name in settings.LANGUAGES[1:]}


def practise(link: Link, position: int, choice: str):
    body = json.dumps({"choice": choice})
    return link.client.post(
        link.url("reading-practice-answer", position), body, content_type="application/json"
    )


def test_practice_tells_and_is_passed_or_tried_again(made):
    Study.objects.update(asks_consent=False, practice_feedback=True, practice_pass=2, practice_tries=2)
    link = Link(made.secrets[0])
    assert link.post("reading-begin", confirmed="1").url.endswith("/practice/")
    assert 'data-checks="yes"' in text_of(link, "reading-practice")
    # Not before it is passed.
    assert link.get("reading-session").url == link.url("reading") and not link.row.started_at
    assert practise(link, 1, "mm").json() == {"truth": "bcc", "name": "Basal cell carcinoma", "over": False}
    # The first answer counts; nonsense is refused.
    practise(link, 1, "bcc")
    assert (
        code_of(practise(link, 2, "nothing")) == "no_choice" and practise(link, 3, "bcc").status_code == 404
    )
    assert practise(link, 2, "bcc").json()["over"]
    assert "1 of 2 practice photos were right; 2 are needed. That was try 1 of 2." in text_of(link)
    practise(link, 1, "mm")
    practise(link, 2, "mm")
    page = text_of(link)
    assert "no try is left" in page and "Begin with the practice" not in page
    assert code_of(practise(link, 1, "bcc")) == "practice_stuck"
    Reader.objects.filter(pk=made.readers[0].pk).update(more_tries=1)
    for position in (1, 2):
        practise(link, position, "bcc")
    assert "You have passed the practice." in text_of(link)
    assert link.get("reading-session").status_code == 200 and link.row.started_at
    assert [one.right for one in PracticeTry.objects.all()] == [1, 0, 2]
    made.study.refresh_from_db()
    assert "Readers who passed: 1 (1 not at the first try); who did not: 0." in " ".join(
        methods_readers.sentences(made.study)
    )
    assert Answer.objects.count() == 0


def test_practice_takes_what_is_no_diagnosis_as_not_right(made):
    Study.objects.update(
        asks_consent=False,
        practice_feedback=True,
        practice_pass=1,
        offers_cannot_judge=True,
        may_go_back=False,
    )
    link = Link(made.secrets[0])
    link.post("reading-begin", confirmed="1")
    assert practise(link, 1, "cannot_judge").json()["truth"] == "bcc"
    assert code_of(practise(link, 2, "out_of_time")) == "no_choice"
    Study.objects.update(time_limit=9)
    assert practise(link, 2, "out_of_time").json()["over"]
    assert PracticeTry.objects.get().right == 0


def test_the_own_result_only_after_closing_and_only_if_allowed(made, coordinator):
    Study.objects.update(asks_consent=False)
    for place, (secret, reader) in enumerate(zip(made.secrets, made.readers, strict=True)):
        link = Link(secret).begin()
        order = link.row.order
        for position in range(1, 5 - place):
            truth = made.study.images.get(number=order[position - 1]).truth
            link.answer(position, truth if position != 2 else "wart")
        reader.group = made.readers[0].group
        reader.save()
    link = Link(made.secrets[1])
    assert (
        link.get("reading-result").status_code == 404 and link.get("reading-certificate").status_code == 404
    )
    studies.close(made.study, coordinator)
    page = text_of(link, "reading-result")
    # 2 of 4 right; the group of three has 3, 2 and 1 of 4.
    assert "50.0 %" in page
    (result,) = own_result.of(Reader.objects.get(pk=made.readers[1].pk))
    assert (result.own.right, result.own.n, result.missing, result.group_size) == (2, 4, 1, 3)
    assert result.group_mean == pytest.approx(0.5) and result.model is None
    assert sum(own.n for _key, own, _model in result.diseases) == 4
    # Of two the mean would tell the other's.
    made.readers[2].group = made.study.groups.last()
    made.readers[2].save()
    assert own_result.of(made.readers[1])[0].group_mean is None
    made.readers[1].readings.update(finished_at=timezone.now())
    assert "read 4 photos" in text_of(link, "reading-certificate")
    file = link.client.get(link.url("reading-certificate") + "?as=pdf")
    assert file["Content-Type"] == "application/pdf" and file.content.startswith(b"%PDF")
    assert "certificate.pdf" in file["Content-Disposition"]
    StudyImage.objects.filter(study=made.study, number=2).update(repeat_of=made.study.images.get(number=1))
    assert "read 3 photos" in text_of(link, "reading-certificate"), "what came twice is one photo"
    Study.objects.update(shows_own_result=False)
    assert link.get("reading-result").status_code == 404


def test_the_own_result_counts_like_the_results(made, coordinator):
    Study.objects.update(asks_consent=False, offers_cannot_judge=True, asks_known=True, shows_own_result=True)
    link = Link(made.secrets[0]).begin()
    order = link.row.order
    truths = [made.study.images.get(number=number).truth for number in order]
    link.answer(1, truths[0])
    link.answer(2, "cannot_judge")
    link.answer(3, truths[2], knows_patient=True)
    studies.close(made.study, coordinator)
    (result,) = own_result.of(Reader.objects.get(pk=made.readers[0].pk))
    assert (result.own.right, result.own.n, result.missing) == (1, 3, 2)
    assert truths[2] not in [key for key, _own, _model in result.diseases]
