"""Why a photo or a crop box is refused, and what was changed on the way in, in words for a clinician.

Codes are stable and meant for programs. Texts are plain English with named placeholders; `_` only marks them
for the message catalogue, so that a web layer can translate `MESSAGES[code]` and fill it with `params`
(string values of `params` are marked as well).
"""


def _(text: str) -> str:
    return text


MESSAGES = {
    "empty": _("The file is empty. Send the photo again."),
    "too_large": _(
        "The file has %(megabytes)s MB; at most %(limit_megabytes)s MB are accepted. "
        "Send a smaller version of the photo."
    ),
    "unsupported": _(
        "This is %(kind)s, not a photo that can be read. Send a JPEG, PNG, WebP, HEIC, AVIF or TIFF photo."
    ),
    "unsupported_inside": _(
        "This %(kind)s file holds its picture in a way that is not read here (%(detail)s). "
        "Save it as a PNG or JPEG and send that."
    ),
    "damaged": _("This %(kind)s file is damaged or incomplete. Send the original photo again."),
    "in_bin": _(
        "This photo lies in the bin. Restore it there, on the page Bin, instead of sending it again."
    ),
    "infected": _(
        "The virus scanner found %(found)s in this file. It was not stored. Have the device it came from looked at."
    ),
    "too_many_pixels": _(
        "The photo has too many pixels: %(width)s × %(height)s is %(megapixels)s megapixels; "
        "at most %(limit_megapixels)s are accepted. Send a smaller version of the photo."
    ),
    "decompression_bomb": _(
        "This %(kind)s file unpacks to far more data than a photo needs and was not opened. "
        "Send the photo as the camera wrote it."
    ),
    "too_costly": _(
        "Reading this photo takes more memory or time than a photo may, so it was not stored. "
        "Export it from a photo program as a JPEG and send that."
    ),
    "too_small": _(
        "The photo is too small: %(width)s × %(height)s pixels; each side needs at least %(minimum)s. "
        "Send the original photo, not a preview of it."
    ),
    "too_narrow": _(
        "The photo is too narrow: %(width)s × %(height)s pixels; one side may be at most "
        "%(limit_ratio)s times the other. Send a photo of the lesion in an ordinary shape."
    ),
    "box_not_numbers": _("The crop box needs whole numbers for its left edge, top edge and size."),
    "box_empty": _("The crop box is empty. Draw a square around the lesion."),
    "box_not_square": _("The crop box is not square: %(width)s × %(height)s pixels. Draw a square."),
    "box_outside": _(
        "The crop box reaches outside the photo of %(photo_width)s × %(photo_height)s pixels. "
        "Move or shrink it."
    ),
    "box_too_small": _(
        "The crop box is too small: %(size)s pixels; at least %(minimum)s are needed. Draw a larger square."
    ),
    "no_such_suggestion": _(
        "There is no suggested square of this number any more. Have squares suggested again, or draw one."
    ),
    "covers_none": _("There is nothing to cover yet. Draw at least one area over the photo."),
    "covers_too_many": _("These are %(n)s areas; at most %(most)s can be covered at a time."),
    "cover_not_numbers": _(
        "Area %(n)s needs whole numbers for its left edge, top edge, width and height, in pixels of the photo."
    ),
    "cover_shape": _("Area %(n)s is neither a box nor an ellipse."),
    "cover_too_small": _(
        "Area %(n)s is too small: %(width)s × %(height)s pixels; each side needs at least %(minimum)s."
    ),
    "cover_outside": _(
        "Area %(n)s reaches outside the photo of %(photo_width)s × %(photo_height)s pixels. Move or shrink it."
    ),
}

NOTES = {
    "first_frame_only": _("The file holds several pictures; only the first one was kept."),
    "main_picture_only": _(
        "The file holds several pictures; only the one that it names as its main one was kept."
    ),
    "gain_map_removed": _(
        "The file also holds a map that brightens the photo on HDR screens, or its depth; only the photo was kept."
    ),
    "tail_removed": _("The file went on after the end of the photo; the rest was removed."),
    "end_missing": _(
        "The file has no end mark. The picture itself is complete; what followed it was removed."
    ),
    "converted_to_srgb": _("The colours were converted to sRGB."),
    "hdr_to_srgb": _(
        "The photo was in high dynamic range (HDR). It was brought into sRGB: what is brighter than white paper was "
        "darkened to fit, the rest kept its brightness."
    ),
    "alpha_flattened": _("The photo was partly transparent; it was put on a white background."),
    "date_not_taken": _("The date in the file cannot be read or cannot be right, so it was not taken over."),
    "profile_ignored": _("The colour profile could not be read; the colours were taken as sRGB."),
    "colours_not_named": _(
        "The camera says that the colours are not sRGB but not which they are; they were taken as sRGB."
    ),
    "inks_without_profile": _(
        "The photo is in the four inks of print (CMYK) without a colour profile; its colours are an estimate."
    ),
}

# What happens to nearly every photo of a phone and changes nothing that is seen.
USUAL_NOTES = frozenset({"converted_to_srgb", "gain_map_removed"})


class _Rejected(ValueError):
    """`code` is stable snake_case, `params` fills `MESSAGES[code]`, `message` is that in English."""

    def __init__(self, code: str, **params: object):
        self.code = code
        self.params = params
        self.message = MESSAGES[code] % params
        super().__init__(self.message)


class PhotoRejected(_Rejected):
    """The uploaded bytes are not stored as a photo, for the reason in `message`."""


class BoxRejected(_Rejected):
    """The crop box does not fit the photo, for the reason in `message`."""


class CoverRejected(_Rejected):
    """The areas to cover do not fit the photo, for the reason in `message`."""
