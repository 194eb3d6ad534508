"""A lesion over time: what is joined, what only stands beside, and in which words."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from skinclinic.models import Lesion, Photo
from skinclinic.presenters import time_figure
from skinclinic.presenters.comparison import taken
from skinclinic.presenters.over_time import over_time
from skinclinic.presenters.sizes import sizes_of
from skinclinic.presenters.time_figure import PHONE, Point, figure
from skinclinic.services import sizes
from skinclinic.services.photo_answers import PhotoTold
from tests import factories


def point(on, value, group="a", **more):
    return Point(date.fromisoformat(on), value, on, group, **more)


class TestFigure:
    def test_days_are_as_far_apart_as_they_were(self):
        drawn = figure([point("2024-01-01", 1), point("2024-01-11", 2), point("2025-01-05", 3)])
        first, second, third = (one.x for one in drawn.points)
        assert (second - first) / (third - first) == pytest.approx(10 / 370, abs=0.002)
        assert drawn.left < first and third < drawn.right

    def test_only_points_of_one_group_are_joined(self):
        drawn = figure(
            [
                point("2024-01-01", 1),
                point("2024-03-01", 2, ""),
                point("2024-02-01", 2),
                point("2024-04-01", 2, "b"),
            ]
        )
        assert [(len(points.split()), place) for points, place in drawn.lines] == [(2, 1)]
        assert (
            [one.shape for one in drawn.points] == [1, 1, 0, 2]
            and drawn.groups == ["a", "b"]
            and drawn.has_single
        )

    def test_values_begin_at_nothing_and_end_above_the_largest(self):
        drawn = figure([point("2024-01-01", 8.3, off=0.9)])
        assert [text for _place, text in drawn.y_ticks] == ["0", "2", "4", "6", "8", "10"]
        one = drawn.points[0]
        assert drawn.bottom > one.low > one.y > one.high > drawn.top
        shares = figure([point("2024-01-01", 0.02)], top=1.0)
        assert [text for _place, text in shares.y_ticks] == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]

    def test_the_axis_is_readable_for_days_and_for_decades(self):
        for days in (0, 1, 20, 45, 100, 400, 2000, 9000):
            for width in (time_figure.WIDE, PHONE):
                drawn = figure(
                    [point("2001-02-03", 1), Point(date(2001, 2, 3) + timedelta(days), 1, "")], width=width
                )
                places = [place for place, _text in drawn.x_ticks]
                assert 2 <= len(places) <= 6 and all(drawn.left <= place <= drawn.right for place in places)
                assert min(b - a for a, b in pairwise(places)) > 35, (days, width)


def told(top, share, model="one", **more):
    rest = {key: (1 - share) / 2 for key in ("mm", "sebk", "bcc") if key != top}
    return PhotoTold(
        "done",
        top_disease=top,
        top_score=share,
        malignant_sum=0.5,
        model=model,
        scores={top: share} | rest,
        **more,
    )


@pytest.mark.django_db
class TestLesion:
    @pytest.fixture
    def lesion(self, clinic, clinician):
        lesion = Lesion.objects.create(clinic=clinic)
        for seed in range(4):
            photo = factories.make_photo(clinic, clinician, seed=seed, lesion=lesion)
            Photo.objects.filter(pk=photo.pk).update(captured_at=f"2026-0{seed + 1}-10T12:00:00Z")
        return lesion

    def test_models_are_not_joined_and_what_does_not_count_stands_alone(self, lesion, clinician):
        photos = sorted(lesion.photos.all(), key=taken)
        answers = [
            told("mm", 0.6),
            told("bcc", 0.9, set_aside="overview"),
            told("mm", 0.4),
            told("bcc", 0.7, "two"),
        ]
        for photo, answer in zip(photos, answers, strict=True):
            photo.answer = answer
        lesion.answer_photo_id = photos[2].pk
        sizes.set_on_patient(lesion, clinician, date(2026, 2, 1), Decimal(6))
        sizes.set_on_patient(lesion, clinician, date(2026, 2, 2), Decimal(7))
        sizes.set_size(photos[0], clinician, (0, 0, 100, 0), None, 1.5, None)
        found = over_time(lesion, photos, sizes_of(lesion, photos))
        assert [curve.key for curve in found.curves] == ["size", "malignant", "disease"]
        # Followed is what the lesion carries, and an unscaled size is no point.
        assert found.disease == "mm" and len(found.curves[0].wide.points) == 2
        scores = found.curves[2].wide
        assert [one.point.value for one in scores.points] == [
            0.6,
            pytest.approx(0.05),
            0.4,
            pytest.approx(0.15),
        ]
        assert [one.point.group for one in scores.points] == ["one", "", "one", "two"] and len(
            scores.lines
        ) == 1
        assert (
            "Overview: does not count" in scores.points[1].point.said and "two" in scores.points[3].point.said
        )
        assert [(row.size, row.against, row.model) for row in found.rows] == [
            ("not evaluable: no scale on the photo", "", "one"),
            ("6 mm", "", ""),
            ("7 mm", "", ""),
            ("", "Overview: does not count", "one"),
            ("", "", "one"),
            ("", "", "two"),
        ]
        assert found.models == ["one", "two"]

    def test_an_answer_that_waits_for_the_own_impression_is_nowhere(self, lesion):
        photos = sorted(lesion.photos.all(), key=taken)
        for photo in photos:
            photo.answer = PhotoTold("done", is_hidden=True)
        photos[0].answer = told("mm", 0.6)
        photos[3].answer = PhotoTold("queued")
        lesion.answer_photo_id = photos[1].pk
        found = over_time(lesion, photos, [])
        assert (found.hidden, len(found.rows), found.disease) == (2, 1, "mm")

    def test_the_page_has_figures_and_table_and_none_where_there_is_nothing(
        self, client_for, clinician, lesion
    ):
        address = f"/lesions/{lesion.pk}/"
        assert 'id="over-time"' not in client_for(clinician).get(address).content.decode()
        sizes.set_on_patient(lesion, clinician, date(2026, 2, 1), Decimal("6.5"))
        # One day alone is no change.
        assert 'id="over-time"' not in client_for(clinician).get(address).content.decode()
        sizes.set_on_patient(lesion, clinician, date(2026, 3, 1), Decimal("6.5"))
        page = client_for(clinician).get(address).content.decode()
        assert 'aria-label="1 Feb 2026: 6.5 mm, measured on the patient"' in page and "As a table" in page
