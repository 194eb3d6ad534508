"""When a photo was taken: the camera's day and hour, however they are written; nothing that cannot be right."""

from datetime import UTC, datetime, timedelta

from skinclinic import imaging
from tests import photo_bytes as make
from tests.cases import each

NOTE = ("date_not_taken",)


def taken(original: bytes, *, digitised: bytes = b"", offset: bytes = b"") -> imaging.AcceptedPhoto:
    """A photo whose EXIF has these texts, byte for byte."""
    fields = [(0x9003, original), (0x9004, digitised), (0x9011, offset)]
    fields = [(tag, value) for tag, value in fields if value]
    start = 26 + 2 + 12 * len(fields) + 4
    directory, values = len(fields).to_bytes(2, "little"), b""
    for tag, value in fields:
        value = value.ljust(5, b"\0")
        directory += tag.to_bytes(2, "little") + b"\2\0" + len(value).to_bytes(4, "little")
        directory += (start + len(values)).to_bytes(4, "little")
        values += value
    exif = make.exif_block([(0x8769, 4, 1, 26)], extra=directory + bytes(4) + values)
    return imaging.accept(
        make.jpeg_with_segment(make.encoded(make.lesion(), "JPEG"), 0xE1, b"Exif\0\0" + exif)
    )


AT = datetime(2021, 7, 8, 23, 30, 11)
SPELLINGS = {
    b"2021:07:08 23:30:11\0": (AT, None),
    b"2021-07-08 23:30:11\0": (AT, None),
    b"2021/07/08 23:30:11\0": (AT, None),
    b"2021.07.08 23.30.11\0": (AT, None),
    b"2021-07-08T23:30:11\0": (AT, None),
    b"2021:7:8 23:30:11\0": (AT, None),
    b"20210708 233011\0": (AT, None),
    b"2021:07:08  23:30:11 \0": (AT, None),
    b"2021:07:08 23:30:11.987\0": (AT, None),
    b"2021:07:08 23:30:11,5\0": (AT, None),
    b"2021:07:08 11:30:11 PM\0": (AT, None),
    b"2021:07:08 23:30:11+02:00\0": (AT, 120),
    b"2021:07:08 23:30:11 -0330\0": (AT, -210),
    b"2021-07-08T23:30:11.25+09:00\0": (AT, 540),
    b"2021-07-08T23:30:11Z\0": (AT, 0),
    b"2021:07:08 23:30:11 KST\0": (AT, None),
    b"2021:07:08 23:30:11+99:00\0": (AT, None),
    b"2021:07:08 23:30:11\0\xff\xfe\x01rest": (AT, None),
    b"2021:07:08 23:30:11": (AT, None),
    b"2021:07:08 23:30\0": (datetime(2021, 7, 8, 23, 30), None),
    b"2021:07:08 23:59:60\0": (datetime(2021, 7, 8, 23, 59, 59), None),
    b"2021:07:08 24:12:31\0": (datetime(2021, 7, 8, 0, 12, 31), None),
    b"2021:07:08\0": (datetime(2021, 7, 8, 12), None),
    b"2021-07-08\0": (datetime(2021, 7, 8, 12), None),
}


@each("text", SPELLINGS)
def test_common_spellings(text):
    photo = taken(text)
    assert (photo.captured_at, photo.captured_offset) == SPELLINGS[text]
    assert photo.notes == ()


def test_an_offset_of_its_own_field_stands_beside_the_clock():
    photo = taken(b"2021:07:08 23:30:11\0", offset=b"+02:00\0")
    assert (photo.captured_at, photo.captured_offset) == (AT, 120)
    assert taken(b"2021:07:08 23:30:11\0", offset=b"   :  \0").captured_offset is None


@each(
    "text",
    [
        b"1970:01:01 00:00:00\0",
        b"1970:01:01 09:00:00\0",
        b"1904:01:01 00:00:00\0",
        b"2099:01:01 00:00:00\0",
        b"9999:12:31 23:59:59\0",
        b"2021:02:30 10:00:00\0",
        b"2021:13:01 10:00:00\0",
        b"2021:07:08 25:00:00\0",
        b"2021:07:08 23:61:00\0",
        b"08.07.2021 23:30\0",
        b"07/08/2021\0",
        b"yesterday\0",
        b"\xed\x95\x9c\xea\xb5\xad\0",
        b"9" * 60 + b"\0",
    ],
)
def test_what_cannot_be_read_or_be_right_is_not_taken_and_said(text):
    photo = taken(text)
    assert (photo.captured_at, photo.captured_offset) == (None, None)
    assert photo.notes == NOTE


@each("text", [b"0000:00:00 00:00:00\0", b"    :  :     :  :  \0", b"\0\0\0\0", b"   \0"])
def test_an_empty_field_is_nothing_to_speak_of(text):
    photo = taken(text)
    assert (photo.captured_at, photo.notes) == (None, ())


def test_tomorrow_is_an_hour_east_of_here_and_next_week_is_not():
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    for ahead, expected in ((timedelta(hours=13), True), (timedelta(days=7), False)):
        photo = taken(f"{now + ahead:%Y:%m:%d %H:%M:%S}".encode())
        assert (photo.captured_at == now + ahead) is expected


def test_the_next_date_stands_in_for_one_that_cannot_be_right():
    photo = taken(b"1970:01:01 00:00:00\0", digitised=b"2021-07-08 23:30:11\0")
    assert (photo.captured_at, photo.notes) == (AT, ())
