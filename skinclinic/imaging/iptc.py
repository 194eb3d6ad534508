"""The date in IPTC-IIM data (version 4.2), which agencies and older programs write beside EXIF."""

import re

_HEAD = b"Photoshop 3.0\0"
# Record 2: date created (55) and time created (60), with the length of each.
_DAY = re.compile(rb"\x1c\x02\x37\0\x08(\d{8})")
_TIME = re.compile(rb"\x1c\x02\x3c\0[\x06\x0b](\d{6}(?:[+\-]\d{4})?)")


def dates(segment: bytes) -> tuple[str, ...]:
    """When the picture was made, as the body of a JPEG's APP13 segment says."""
    day = _DAY.search(segment) if segment.startswith(_HEAD) else None
    if not day:
        return ()
    time = _TIME.search(segment)
    return (" ".join(part[1].decode("ascii") for part in (day, time) if part),)
