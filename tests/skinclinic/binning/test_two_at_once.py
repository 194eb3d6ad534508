"""One person deletes while others decide, file and store: nobody waits in a circle, and nothing is lost."""

import threading

import pytest
from django.db import connection

from skinclinic.models import BinItem, Diagnosis, Lesion, Patient, Photo
from skinclinic.services import diagnoses, filing, records
from skinclinic.services.binning import bin, items, merges, restoring
from skinclinic.services.refused import Refused
from tests import factories

# What may happen to the slower ones: what they would change is not there any more.
TOO_LATE = (items.Gone, Refused, Lesion.DoesNotExist, Patient.DoesNotExist, KeyError)


@pytest.mark.django_db(transaction=True)
def test_one_deletes_while_others_change_the_same(clinic, clinician, admin_user):
    patient, other = (factories.make_patient(clinic, code) for code in ("P-0001", "P-0002"))
    lesion = Lesion.objects.create(clinic=clinic, patient=patient)
    first = factories.make_photo(clinic, clinician, seed=1, lesion=lesion)
    loose = factories.make_photo(clinic, clinician, seed=2)
    looked = merges.seen(other, patient)
    acts = [
        lambda: bin.put(Patient.objects.get(pk=patient.pk), admin_user, reason="withdrawn"),
        lambda: bin.put(Photo.objects.get(pk=first.pk), clinician, reason="mistake"),
        lambda: merges.merge(other, patient, {}, clinician, looked=looked),
        lambda: diagnoses.record(lesion=lesion, user=clinician, kind="pathology", disease="bcc"),
        lambda: filing.file_photos(
            [Photo.objects.get(pk=loose.pk)], user=clinician, patient=patient, lesion=lesion,
            details=filing.Details(),
        ),
        lambda: records.change(lesion, {"note": "growing"}, clinician),
    ]  # fmt: skip
    start, errors = threading.Barrier(len(acts)), []

    def run(act) -> None:
        start.wait()
        try:
            act()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [error for error in errors if not isinstance(error, (*TOO_LATE, Photo.DoesNotExist))] == []
    for item in BinItem.objects.exclude(kind="merge").order_by("-id"):
        restoring.restore(item, admin_user)
    assert Photo.objects.count() == 2 and Lesion.objects.filter(pk=lesion.pk).exists()
    recorded = not any(isinstance(error, Lesion.DoesNotExist) for error in errors)
    assert Diagnosis.objects.exists() or not recorded
