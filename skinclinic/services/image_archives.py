"""Sending photos to image archives (PACS): by DICOM or DICOMweb, in a job, tried again, with a log.

An archive without TLS is reached in networks alone that the server's operator names (``IMAGE_ARCHIVE_NETWORKS``), as
webhooks are. What an archive has it keeps: nothing here deletes there.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from skinclinic.dicom import network, web
from skinclinic.dicom.facts import PhotoFacts
from skinclinic.engine import clock, jobs
from skinclinic.engine.housekeeping import broom
from skinclinic.models import Clinic, ImageArchive, ImageSending, Job, Photo, User
from skinclinic.services import audit, dicom_photos
from skinclinic.services.refused import Refused
from skinclinic.web import outgoing
from skinclinic.web.counts import gettext as _

if TYPE_CHECKING:
    from skinclinic.dicom.objects import Made

JOB = "image-sending"
State, Way = ImageSending.State, ImageArchive.Way
# After each try that failed; then it is given up.
PAUSES = [timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360, 1440)]
KEPT_FOR = timedelta(days=30)
MOST = 10
# Of a sending: the job has failed here, for good.
FAILED = "failed"
# A study that there is nowhere: whoever is asked for it answers without naming a patient.
NOTHING = "2.25.0"
# Each step of a request that may carry a dozen pictures.
SECONDS = 30


class AnswerMaker(NamedTuple):
    """``may``: whether this person may see, and so send, the answer to a photo that there is; ``make``: its objects."""

    may: Callable[[User, Photo], bool]
    make: "Callable[[Photo, PhotoFacts, Made], list[Made]]"


# The app that has answers registers its maker when it starts.
answer_makers: list[AnswerMaker] = []


@transaction.atomic
def add(clinic: Clinic, user: User, values: dict[str, Any]) -> ImageArchive:
    """Raises Refused."""
    if ImageArchive.objects.filter(clinic=clinic).count() >= MOST:
        raise Refused("name", _("There are %(count)d archives already. Remove one first.") % {"count": MOST})
    made = ImageArchive.objects.create(clinic=clinic, created_by=user, **values)
    audit.record("image_archive.make", made, by=user, after={"where": made.where})
    return made


@transaction.atomic
def remove(archive: ImageArchive, user: User) -> None:
    """Remove it with its log; what it was sent stays there."""
    audit.record("image_archive.remove", archive, by=user, before={"where": archive.where})
    archive.delete()


@transaction.atomic
def test(archive: ImageArchive, user: User) -> ImageSending:
    """Ask whether it is there, without anything of a patient."""
    audit.record("image_archive.test", archive, by=user)
    return _enqueued(ImageSending.objects.create(clinic_id=archive.clinic_id, archive=archive, asked_by=user))


def may_send_answer(user: User, photo: Photo) -> bool:
    return any(maker.may(user, photo) for maker in answer_makers)


@transaction.atomic
def send(photo: Photo, archive: ImageArchive, user: User, *, with_answer: bool) -> ImageSending:
    """Send it, with the answer if the person may see that. Raises Refused for a photo of no patient: an archive files
    by patient."""
    patient = photo.lesion.patient
    if patient is None or photo.lesion.is_archived:
        raise Refused(
            "archive", _("File the photo under a patient first: an image archive files by patient.")
        )
    with_answer = with_answer and may_send_answer(user, photo)
    sending = ImageSending.objects.create(
        clinic_id=photo.clinic_id, archive=archive, photo_key=photo.pk, with_answer=with_answer, asked_by=user
    )
    audit.record("photo.send", photo, by=user, facts={"where": archive.where, "with_answer": with_answer})
    return _enqueued(sending)


def _enqueued(sending: ImageSending) -> ImageSending:
    key = f"{sending.pk}:{sending.tries}"
    job = jobs.enqueue(JOB, key, subject=sending.pk, clinic=sending.archive.clinic)
    if job.state == Job.State.FAILED:
        follow_jobs([job])
    return sending


def follow_jobs(rows: Sequence[Job]) -> None:
    """Sendings whose jobs have failed for good wait for nothing any more, and say so."""
    failed = [row.subject for row in rows if row.state == Job.State.FAILED]
    ImageSending.objects.filter(pk__in=failed, state=State.WAITING).update(
        state=State.GIVEN_UP, problem=FAILED, ended_at=clock.now()
    )


def try_once(sending: ImageSending) -> Callable[[], None]:
    """What is to be stored of the try, in the transaction that ends the job. Not called in a transaction."""
    if sending.state == State.ARRIVED or (sending.state == State.GIVEN_UP and sending.problem != FAILED):
        return lambda: None
    arrived, problem = _tried(sending)
    return lambda: _note(sending, arrived, problem)


def _tried(sending: ImageSending) -> tuple[int, str]:
    """(how many objects arrived, why not all: "" for none)."""
    archive = sending.archive
    try:
        if not sending.photo_key:
            _probe(archive)
            return 0, ""
        made = _objects(sending)
        return (_by_web if archive.way == Way.WEB else _by_dicom)(archive, made), ""
    except network.NotStored as error:
        return error.stored, error.code
    except (outgoing.NotSent, web.NotTaken) as error:
        return 0, error.code
    except Photo.DoesNotExist:
        return 0, "photo_gone"
    except OSError:
        return 0, "file_gone"


def _objects(sending: ImageSending) -> "list[Made]":
    # Most processes make none.
    from skinclinic.dicom import objects

    photo = Photo.objects.select_related("clinic", "lesion__patient").get(pk=sending.photo_key)
    if photo.lesion.patient is None:
        raise Photo.DoesNotExist
    facts = dicom_photos.facts_of(photo)
    made = objects.photo(facts)
    makers = answer_makers if sending.with_answer else []
    return [made, *(one for maker in makers for one in maker.make(photo, facts, made))]


def _by_dicom(archive: ImageArchive, made: "list[Made]") -> int:
    return network.store(_peer(archive), [one.dataset for one in made])


def _by_web(archive: ImageArchive, made: "list[Made]") -> int:
    """What an earlier try brought there is not sent again."""
    study = str(made[0].dataset.StudyInstanceUID)
    there = {
        web.value_of(one, web.SOP_INSTANCE) for one in web.search(ask, archive.url, StudyInstanceUID=study)
    }
    if missing := [one for one in made if one.uid not in there]:
        web.store(ask, archive.url, [one.encoded() for one in missing])
    return len(made)


def _probe(archive: ImageArchive) -> None:
    if archive.way == Way.WEB:
        web.search(ask, archive.url, StudyInstanceUID=NOTHING)
    else:
        network.echo(_peer(archive))


def _peer(archive: ImageArchive) -> network.Peer:
    port = archive.port or 104
    address = outgoing.address_of(archive.host, port, allowed_networks())
    return network.Peer(address, port, archive.called, archive.calling)


def ask(method: str, url: str, body: bytes, headers: Any) -> tuple[int, dict[str, str], bytes]:
    """Raises outgoing.NotSent."""
    return outgoing.ask(method, url, body, headers, allowed_networks(), seconds=SECONDS)


def allowed_networks() -> list[outgoing.Network]:
    """Private networks that the operator lets photos be sent into."""
    return [
        ip_network(text.strip(), strict=False) for text in settings.IMAGE_ARCHIVE_NETWORKS if text.strip()
    ]


def _note(sending: ImageSending, arrived: int, problem: str) -> None:
    now = clock.now()
    sending.tries += 1
    sending.arrived, sending.problem = arrived, problem
    is_for_good = problem in ("photo_gone", "file_gone") or not sending.photo_key
    if not problem:
        sending.state, sending.ended_at = State.ARRIVED, now
    elif is_for_good or sending.tries > len(PAUSES):
        sending.state, sending.ended_at = State.GIVEN_UP, now
    else:
        sending.state, sending.ended_at = State.WAITING, None
        sending.next_at = now + PAUSES[sending.tries - 1]
    sending.save()


@broom
def send_what_is_due() -> None:
    """Ask for the next try of what did not arrive."""
    due = ImageSending.objects.filter(state=State.WAITING, next_at__lte=Now())
    for sending in due.select_related("archive__clinic").order_by("pk")[:500]:
        with transaction.atomic():
            _enqueued(sending)


@broom
def forget_old_sendings() -> None:
    ImageSending.objects.filter(created_at__lt=Now() - KEPT_FOR).delete()
