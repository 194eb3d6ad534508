"""A process that reads photos from outside, one after the other, and can do nothing else (see ``limited``).

It knows no settings, no database and no secret, writes no file, and has so much memory and so many processor seconds a
photo. What it answers is data, never code: a header in JSON and plain bytes.
"""

import json
import os
import resource
import struct
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from typing import IO, Any

from . import intake
from .covers import Cover, covered
from .likeness import perceptual_hash
from .refusals import PhotoRejected

_LENGTH = struct.Struct(">I")
_LARGEST_HEADER, _LARGEST_ANSWER = 1 << 20, 1 << 28
# Pages go first where processors are short.
_NICE = 5
# Each thread of a decoder takes memory for itself: as many as there are processors would be too many on a large server.
_PROCESSORS = 4

Said = dict[str, Any]
Answer = tuple[Said, Sequence[bytes]]


def send(file: IO[bytes], said: Said, blobs: Sequence[bytes] = ()) -> None:
    header = json.dumps(said | {"sizes": [len(blob) for blob in blobs]}).encode()
    file.write(_LENGTH.pack(len(header)) + header)
    for blob in blobs:
        file.write(blob)
    file.flush()


def receive(file: IO[bytes]) -> Answer:
    """What the other end sent. Raises EOFError where it is gone, ValueError for what is no answer."""
    (length,) = _LENGTH.unpack(_exactly(file, _LENGTH.size))
    if length > _LARGEST_HEADER:
        raise ValueError("a header too long")
    said = json.loads(_exactly(file, length))
    sizes = said.pop("sizes")
    if not all(isinstance(size, int) and size >= 0 for size in sizes) or sum(sizes) > _LARGEST_ANSWER:
        raise ValueError("an answer too long")
    return said, [_exactly(file, size) for size in sizes]


def _exactly(file: IO[bytes], length: int) -> bytes:
    found = file.read(length)
    if len(found) < length:
        raise EOFError
    return found


def _accept(data: bytes, **limits: int) -> Answer:
    photo = intake.accept(data, **limits)
    said = {name: value for name, value in asdict(photo).items() if not isinstance(value, bytes)}
    said["captured_at"] = photo.captured_at and photo.captured_at.isoformat()
    return said, (photo.jpeg, photo.thumbnail)


def accepted(said: Said, blobs: Sequence[bytes]) -> intake.AcceptedPhoto:
    """The photo that ``accept`` answered with."""
    jpeg, thumbnail = blobs
    at = said["captured_at"]
    said |= {"captured_at": at and datetime.fromisoformat(at), "notes": tuple(said["notes"])}
    return intake.AcceptedPhoto(jpeg=jpeg, thumbnail=thumbnail, **said)


def _check(data: bytes) -> Answer:
    return {"notes": intake.check(data)}, ()


def _cover(data: bytes, areas: Sequence[dict[str, Any]]) -> Answer:
    jpeg, thumbnail = covered(data, [Cover(**area) for area in areas])
    return {"likeness": perceptual_hash(jpeg)}, (jpeg, thumbnail)


def _dicom(data: bytes, with_picture: bool) -> Answer:
    # Most decoders never see one.
    from skinclinic.dicom import reading

    said, picture = reading.read(data, with_picture=with_picture)
    return said, (picture,)


WORK: dict[str, Callable[..., Answer]] = {
    "accept": _accept, "check": _check, "cover": _cover, "dicom": _dicom
}  # fmt: skip


def limit(megabytes: int) -> None:
    """Hold this process to so much memory beyond what it has now, to no file and few processors."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    os.nice(_NICE)
    with suppress(AttributeError, OSError):
        there = sorted(os.sched_getaffinity(0))
        first = os.getpid() % len(there)
        os.sched_setaffinity(0, (there + there)[first : first + _PROCESSORS])
    try:
        with open("/proc/self/status") as status:
            held = next(int(line.split()[1]) for line in status if line.startswith("VmData:")) << 10
    except (OSError, StopIteration):
        return  # a system that counts otherwise: the limit of time is left
    bytes_held = held + (megabytes << 20)
    resource.setrlimit(resource.RLIMIT_DATA, (bytes_held, bytes_held))


def _allow(seconds: int) -> None:
    """The next photo may take so many seconds of the processor; the system ends the process after them."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + 1 + seconds, hard))


def _answer(said: Said, blobs: Sequence[bytes]) -> Answer:
    try:
        found, parts = WORK[said["work"]](blobs[0], **said["options"])
    except PhotoRejected as rejected:
        return {"refused": rejected.code, "params": rejected.params}, ()
    except MemoryError:
        return {"too_much": True}, ()
    except OSError as error:
        return {"unreadable": str(error)}, ()
    except Exception:  # noqa: BLE001 - who asked logs it
        return {"broke": traceback.format_exc()}, ()
    return {"found": found}, parts


def main(megabytes: int, seconds: int) -> None:
    """Answer until nobody asks any more, or the memory was not enough: what is left of it is in pieces then."""
    questions, answers = sys.stdin.buffer, sys.stdout.buffer
    limit(megabytes)
    while True:
        try:
            said, blobs = receive(questions)
        except EOFError:
            return
        _allow(seconds)
        said, parts = _answer(said, blobs)
        send(answers, said, parts)
        if "too_much" in said:
            return
        blobs = parts = ()
