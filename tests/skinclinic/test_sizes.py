"""How large a lesion is: measured on the patient, or marked on a photo with a scale; history, conflicts, the API."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from skinclinic.models import Lesion, PatientSize, PhotoScale, PhotoSize
from skinclinic.presenters.comparison import taken
from skinclinic.presenters.sizes import sizes_of
from skinclinic.services import belongings, filing, sizes
from skinclinic.services.refused import Refused
from tests import factories

pytestmark = pytest.mark.django_db

ENDS = ("x1", "y1", "x2", "y2")


def marked(**lines):
    return {
        f"{name}_{end}": value
        for name, points in lines.items()
        for end, value in zip(ENDS, points, strict=True)
    }


def said(lesion):
    return [one.said for one in sizes_of(lesion, sorted(lesion.photos.all(), key=taken))]


class TestOnAPhoto:
    def scale(self, **more):
        return {"what": "scale", "kind": "ruler", "mm": "20", **marked(scale=(10, 10, 210, 10)), **more}

    def size(self, **more):
        return {"what": "size", **marked(longest=(50, 50, 130, 110), across=(60, 100, 100, 60)), **more}

    def test_marks_become_mm_once_there_is_a_scale_and_are_history_once_withdrawn(
        self, client_for, clinician, photo
    ):
        client, address = client_for(clinician), f"/photos/{photo.pk}/size/"
        assert client.get(address).status_code == 200
        assert client.post(address, self.size()).status_code == 302
        assert said(photo.lesion) == ["not evaluable: no scale on the photo"]
        assert client.post(address, self.scale()).status_code == 302
        assert said(photo.lesion) == ["10.0 ± 0.4 × 5.7 ± 0.4 mm"]
        # A double click changes nothing.
        assert client.post(address, self.scale()).status_code == 302
        assert PhotoScale.objects.count() == 1
        seen = PhotoScale.objects.get().pk
        assert client.post(address, self.scale(mm="40", seen=seen)).status_code == 302
        assert said(photo.lesion) == ["20 ± 1 × 11 ± 1 mm"]
        page = client.get(f"/lesions/{photo.lesion_id}/").content.decode()
        assert "20 ± 1 × 11 ± 1 mm" in page and "Withdrawn" in page
        remove = {"what": "size", "remove": "1", "seen": PhotoSize.objects.get().pk}
        assert client.post(address, remove | {"seen": "77"}).status_code == 409 and said(photo.lesion)
        assert client.post(address, remove).status_code == 302
        assert said(photo.lesion) == []
        kept = [
            (row.withdrawn_by, row.created_by)
            for kind in (PhotoScale, PhotoSize)
            for row in kind.objects.all()
        ]
        assert len(kept) == 3 and (clinician, clinician) in kept

    def test_what_was_not_seen_is_not_replaced(self, client_for, clinician, admin_user, photo):
        address = f"/photos/{photo.pk}/size/"
        client_for(admin_user).post(address, self.scale(mm="30"))
        response = client_for(clinician).post(address, self.scale())
        assert response.status_code == 409
        assert "Somebody has said something else meanwhile" in response.content.decode()
        standing = PhotoScale.objects.get()
        assert (standing.mm, standing.created_by) == (30, admin_user)
        assert response.context["scale_form"]["mm"].value() == "20" and response.context["scale"] == standing

    def test_what_is_wrong_is_said_at_its_field(self, client_for, clinician, photo):
        client, address = client_for(clinician), f"/photos/{photo.pk}/size/"
        wrong = [
            (self.scale(mm="0"), "mm"),
            (self.scale(mm="nan"), "mm"),
            (self.scale(scale_x2=""), "scale_x1"),
            (self.scale(scale_x2="20"), "scale_x1"),
            (self.scale(scale_x2=photo.width + 1), "scale_x1"),
            (self.scale(scale_y1="-1"), "scale_x1"),
            (self.scale(kind="foot"), "kind"),
            (self.size(**marked(longest=(9, 9, 9, 9))), "longest_x1"),
            (self.size(**marked(across=(0, 0, 300, 250))), "across_x1"),
            (self.size(across_x2=""), "across_x1"),
        ]
        for sent, field in wrong:
            response = client.post(address, sent)
            form = response.context[f"{sent['what']}_form"]
            assert response.status_code == 422 and field in form.errors, (sent, form.errors)
        assert client.post(address, {"what": "weight"}).status_code == 400
        assert not PhotoScale.objects.exists() and not PhotoSize.objects.exists()

    def test_how_far_marks_may_be_off_is_never_told_too_small_or_without_end(self, clinician, photo):
        for off, kept in ((0.0, 1.5), (2.5, 2.5), (1e9, 3.2), (float("nan"), 1.5)):
            row = sizes.set_size(photo, clinician, (0, 0, 100, off if off == 2.5 else 0), None, off, None)
            assert row.off == kept
            sizes.withdraw(row, clinician)
        for mm in (0.4, 501):
            with pytest.raises(Refused, match=r"from 0\.5 to 500"):
                sizes.set_scale(photo, clinician, "ruler", mm, (0, 0, 100, 0), 1.5, None)


class TestOnThePatient:
    def test_it_is_typed_corrected_and_withdrawn(self, client_for, clinician, photo):
        client, address = client_for(clinician), f"/lesions/{photo.lesion_id}/sizes/"
        day = timezone.localdate() - timedelta(days=9)
        sent = {"measured_on": day.isoformat(), "longest_mm": "6", "across_mm": "4.5"}
        assert client.post(address, sent).url == f"/lesions/{photo.lesion_id}/#sizes"
        client.post(address, sent)
        row = PatientSize.objects.get()
        assert said(photo.lesion) == ["6 × 4.5 mm"] and row.created_by == clinician
        corrected = sent | {"longest_mm": "7", "across_mm": "", "instead_of": row.pk}
        client.post(address, corrected)
        assert said(photo.lesion) == ["7 mm"]
        # The same correction of what is history by now is refused.
        response = client.post(address, corrected | {"longest_mm": "8"})
        assert response.status_code == 409 and said(photo.lesion) == ["7 mm"]
        page = response.content.decode()
        assert "Somebody has changed or withdrawn this size meanwhile" in page and 'value="8"' in page
        client.post(f"/sizes/{PatientSize.objects.get(withdrawn_at=None).pk}/withdraw/")
        assert said(photo.lesion) == [] and PatientSize.objects.count() == 2

    def test_what_is_wrong_is_said_and_nothing_is_stored(self, client_for, clinician, photo):
        client, today = client_for(clinician), timezone.localdate()
        wrong = [
            ({"measured_on": today, "longest_mm": "4", "across_mm": "6"}, "The longest comes first"),
            ({"measured_on": today + timedelta(days=1), "longest_mm": "4"}, "in the future"),
            ({"measured_on": today, "longest_mm": "6.25"}, "Longest diameter in mm"),
            ({"measured_on": "", "longest_mm": "6"}, "Measured on"),
            ({"measured_on": today, "longest_mm": "600"}, "500"),
        ]
        for sent, words in wrong:
            response = client.post(f"/lesions/{photo.lesion_id}/sizes/", sent)
            page = response.content.decode()
            assert response.status_code == 422 and "The size was not saved." in page and words in page, words
            assert f'value="{sent["longest_mm"]}"' in page
        assert not PatientSize.objects.exists()

    def test_a_second_of_one_day_is_asked_about(self, clinician, photo):
        sizes.set_on_patient(photo.lesion, clinician, date(2026, 3, 1), Decimal(6))
        with pytest.raises(Refused, match="there already"):
            sizes.set_on_patient(photo.lesion, clinician, date(2026, 3, 1), Decimal(7))

    def test_a_lesion_with_a_size_is_not_empty_and_takes_it_along(self, clinician, clinic, photo):
        lesion = Lesion.objects.create(clinic=clinic)
        sizes.set_on_patient(lesion, clinician, date(2026, 3, 1), Decimal(6))
        assert belongings.any_of(lesion)
        patient = factories.make_patient(clinic)
        home = Lesion.objects.create(clinic=clinic, patient=patient)
        source = photo.lesion
        sizes.set_on_patient(source, clinician, date(2026, 3, 1), Decimal(5))
        receipt = filing.file_photos(
            [photo], user=clinician, patient=patient, lesion=home, details=filing.Details()
        )
        assert said(home) == ["5 mm"]
        filing.undo(receipt)
        photo.refresh_from_db()
        assert said(home) == [] and PatientSize.objects.get(longest_mm=5).lesion_id == photo.lesion_id


def test_programs_read_sizes_and_add_those_of_the_patient(client_for, clinician, coordinator, photo):
    client, address = client_for(clinician), f"/api/lesions/{photo.lesion_id}/sizes/"
    sizes.set_size(photo, clinician, (50, 50, 130, 110), None, 1.5, None)
    first = client.get(address).json()[0]
    assert (first["how"], first["longest_mm"], first["not_evaluable"]) == ("photo", None, "no_scale")
    sizes.set_scale(photo, clinician, "sticker", 20, (10, 10, 210, 10), 1.5, None)
    sent = {"measured_on": "2020-01-02", "longest_mm": "6", "across_mm": "4"}
    answer = client.post(address, sent, content_type="application/json")
    assert answer.status_code == 201
    on_patient, on_photo = answer.json()
    assert (on_patient["how"], on_patient["longest_mm"], on_patient["longest_off_mm"]) == (
        "patient",
        6.0,
        None,
    )
    assert (on_photo["photo"], on_photo["longest_mm"], on_photo["longest_off_mm"]) == (photo.pk, 10.0, 0.4)
    again = client.post(address, sent | {"longest_mm": "7"}, content_type="application/json")
    assert again.status_code == 409 and again.json()["error"]["code"] == "measured_on"
    assert client.post(address, {"longest_mm": "x"}, content_type="application/json").status_code == 400
    tomorrow = (timezone.localdate() + timedelta(days=1)).isoformat()
    future = client.post(address, sent | {"measured_on": tomorrow}, content_type="application/json")
    assert future.status_code == 409 and "in the future" in future.json()["error"]["message"]
    assert client_for(coordinator).post(address, sent).status_code == 403
