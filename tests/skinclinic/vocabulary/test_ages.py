"""An age is told as it is known: a range stays one."""

from skinclinic.vocabulary import ages


def test_an_age_in_words_and_in_tables():
    assert [ages.name(*one) for one in ((None,), (45,), (30, 39), (85, 120))] == [
        "", "45 years", "30–39 years", "85 years and older",
    ]  # fmt: skip
    assert [ages.written(*one) for one in ((None,), (45,), (30, 39), (85, 120))] == ["", "45", "30-39", "85+"]


def test_a_study_tells_the_range_of_its_photo_and_guesses_no_year():
    from reader_study.models import StudyImage
    from skinclinic.archive.models import DatasetItem

    item = DatasetItem(age=30, age_to=39)
    assert StudyImage(age=None, dataset_item=item).age_range == (30, 39)
    assert StudyImage(age=45, dataset_item=DatasetItem(age=45)).age_range == (45, None)
    assert StudyImage(age=None).age_range == (None, None)
