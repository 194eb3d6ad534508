"""Saying how large a lesion is: as measured on the patient, or by points on a photo."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from skinclinic.forms.pathology import date_input, not_in_the_future
from skinclinic.imaging.measuring import PER_END
from skinclinic.models import PatientSize, PhotoScale
from skinclinic.presenters.sizes import SizeTold
from skinclinic.services.sizes import LEAST_MM, MOST_MM

ENDS = ("x1", "y1", "x2", "y2")


def _mm(**more: Any) -> forms.DecimalField:
    return forms.DecimalField(min_value=0.1, max_value=500, max_digits=4, decimal_places=1, **more)


class PatientSizeForm(forms.Form):
    """``instead_of``: the row that this corrects."""

    measured_on = forms.DateField(label=_("Measured on"), widget=date_input())
    longest_mm = _mm(label=_("Longest diameter in mm"))
    across_mm = _mm(label=_("Across it in mm"), required=False)
    instead_of = forms.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.initial = {"measured_on": timezone.localdate(), **self.initial}

    def clean_measured_on(self) -> Any:
        return not_in_the_future(self.cleaned_data["measured_on"])


def size_rows(
    told: Sequence[SizeTold], sent: PatientSizeForm | None
) -> list[tuple[SizeTold, PatientSizeForm | None]]:
    """Each size with the form that corrects it: the ``sent`` one, if it was about this; none for marks on a photo."""
    about = sent["instead_of"].value() if sent else None
    rows: list[tuple[SizeTold, PatientSizeForm | None]] = []
    for one in told:
        row = one.row
        if not isinstance(row, PatientSize):
            rows.append((one, None))
        elif sent and str(row.pk) == str(about):
            rows.append((one, sent))
        else:
            values = {name: getattr(row, name) for name in ("measured_on", "longest_mm", "across_mm")}
            rows.append((one, PatientSizeForm(initial=values | {"instead_of": row.pk})))
    return rows


class MarkedForm(forms.Form):
    """``seen``: what stood when the page was made. ``off``: how far each end may be off, as the script saw it."""

    seen = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)
    off = forms.FloatField(required=False, initial=PER_END, widget=forms.HiddenInput)
    # Lengths that are marked, and whether they must be.
    LINES: dict[str, bool] = {}

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        for name in self.LINES:
            for end in ENDS:
                self.fields[f"{name}_{end}"] = forms.FloatField(required=False)

    def line_fields(self) -> list[tuple[str, list[forms.BoundField]]]:
        """[("longest", its four number fields), …]"""
        return [(name, [self[f"{name}_{end}"] for end in ENDS]) for name in self.LINES]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        cleaned["off"] = cleaned.get("off") or PER_END
        for name, is_needed in self.LINES.items():
            ends = [cleaned.get(f"{name}_{end}") for end in ENDS]
            given = [end for end in ends if end is not None]
            if len(given) == len(ENDS):
                cleaned[name] = given
                continue
            cleaned[name] = None
            if given or is_needed:
                self.add_error(f"{name}_x1", _("Mark both ends on the photo, or give the numbers of both."))
        return cleaned


class ScaleForm(MarkedForm):
    LINES = {"scale": True}

    kind = forms.ChoiceField(label=_("What it is"), choices=PhotoScale.Kind.choices)
    mm = forms.FloatField(label=_("Its length in mm"), min_value=LEAST_MM, max_value=MOST_MM)


class SizeForm(MarkedForm):
    LINES = {"longest": True, "across": False}
