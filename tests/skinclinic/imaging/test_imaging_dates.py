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
    b"20210708233011\0": (AT, None),
    b"2021: 7: 8 23:30:11\0": (AT, None),
    b"2021:07:08 23-30-11\0": (AT, None),
    b"2021:07:08 23:30-03\0": (datetime(2021, 7, 8, 23, 30), -180),
    "2021:07:08 오후 11:30:11\0".encode(): (AT, None),
    "2021:07:08 오전 12:30:11\0".encode(): (datetime(2021, 7, 8, 0, 30, 11), None),
    "2021年07月08日 23:30:11\0".encode(): (AT, None),
    "2021년 7월 8일\0".encode(): (datetime(2021, 7, 8, 12), None),
    "٢٠٢١:٠٧:٠٨ ٢٣:٣٠:١١\0".encode(): (AT, None),
    b"Thu Jul  8 23:30:11 2021\0": (AT, None),
    b"July 8, 2021 23:30:11\0": (AT, None),
    b"8 Jul 2021 23:30:11\0": (AT, None),
    b"8 Jul 2021\0": (datetime(2021, 7, 8, 12), None),
    b"Thu, 08 Jul 2021 23:30:11 +0200\0": (AT, 120),
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
        b"31 Feb 2021 10:00:00\0",
        b"May\0",
        b"9 May May 9999999999999 1:1\0",
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


def xmp(name: str, value: str) -> bytes:
    return f'<x:xmpmeta><rdf:Description {name}="{value}"/></x:xmpmeta>'.encode()


WITH_ZONE, WITHOUT = "2021-07-08T23:30:11+02:00", "2021-07-08T23:30:11"


@each("name", ["exif:DateTimeOriginal", "photoshop:DateCreated", "exif:DateTimeDigitized", "xmp:CreateDate"])
@each("text, offset", [(WITH_ZONE, 120), (WITHOUT, None)])
@each("container", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF"])
def test_xmp_says_it_where_exif_does_not(name, text, offset, container):
    packet, picture = xmp(name, text), make.lesion()
    if container == "JPEG":
        head = b"http://ns.adobe.com/xap/1.0/\0"
        data = make.jpeg_with_segment(make.encoded(picture, "JPEG"), 0xE1, head + packet)
    elif container == "PNG":
        data = make.png_with(make.chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet))
    else:
        data = make.encoded(picture, container, xmp=packet)
    photo = imaging.accept(data)
    assert (photo.captured_at, photo.captured_offset) == (AT, offset)


def test_the_first_of_xmp_counts_and_exif_before_it():
    packet = xmp("xmp:CreateDate", "2022-01-01T10:00:00").replace(
        b"/>", b' exif:DateTimeOriginal="2021-07-08T23:30:11"/>', 1
    )
    assert imaging.accept(make.encoded(make.lesion(), "WEBP", xmp=packet)).captured_at == AT
    exif = make.telling_exif(taken="2020:01:02 03:04:05")
    both = make.encoded(make.lesion(), "WEBP", xmp=packet, exif=exif)
    assert imaging.accept(both).captured_at == datetime(2020, 1, 2, 3, 4, 5)


@each(
    "day, time, expected",
    [
        (b"20210708", b"233011+0200", (AT, 120)),
        (b"20210708", b"233011", (AT, None)),
        (b"20210708", b"", (datetime(2021, 7, 8, 12), None)),
        (b"20210230", b"233011", (None, None)),
    ],
)
def test_iptc_says_it_too(day, time, expected):
    body = b"\x1c\x02\x37\0\x08" + day + (b"\x1c\x02\x3c\0" + bytes([len(time)]) + time if time else b"")
    segment = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + len(body).to_bytes(4) + body
    photo = imaging.accept(make.jpeg_with_segment(make.encoded(make.lesion(), "JPEG"), 0xED, segment))
    assert (photo.captured_at, photo.captured_offset) == expected
    assert photo.notes == (() if expected[0] else NOTE)


@each("value, offset", [(b"Thu, 08 Jul 2021 23:30:11 +0200", 120), (b"2021:07:08 23:30:11", None)])
@each("kind, head", [(b"tEXt", b"\0"), (b"iTXt", b"\0\0\0\0\0")])
def test_a_png_says_it_in_its_texts(value, offset, kind, head):
    photo = imaging.accept(make.png_with(make.chunk(kind, b"Creation Time" + head + value)))
    assert (photo.captured_at, photo.captured_offset) == (AT, offset)
