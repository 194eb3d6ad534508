"""The form that begins an import."""

from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from skinclinic.archive.formats.known import LAYOUTS, WITHOUT_TABLE
from skinclinic.archive.models import PROVENANCE, Entry, Import, SavedMapping, Source
from skinclinic.forms.fields import choices_of, rows_of
from skinclinic.models import Clinic, Diagnosis, Photo
from skinclinic.models.columns import field_of

# Formats whose table is among the photos, or which have none.
TABLE_INSIDE = (*WITHOUT_TABLE, Import.Format.EXPORT, Import.Format.CROISSANT)


def inbox(clinic: Clinic) -> Path:
    """Where an administrator of the server puts archives of this clinic that are too large to upload."""
    return settings.SKINCLINIC_HOME / "inbox" / clinic.slug


def waiting_folders(clinic: Clinic) -> list[str]:
    """The folders and ZIPs in the clinic's inbox; links are passed over."""
    if not inbox(clinic).is_dir():
        return []
    return sorted(
        path.name
        for path in inbox(clinic).iterdir()
        if not path.is_symlink() and (path.is_dir() or path.suffix.lower() == ".zip")
    )


class ImportForm(forms.ModelForm):
    """Name, format and files of an import; provenance goes to its source."""

    archive = forms.FileField(label=_("Photos (ZIP)"), required=False)
    waiting = forms.ChoiceField(label=_("or a folder on the server"), required=False)
    table = forms.FileField(label=_("Table (CSV)"), required=False)
    second = forms.FileField(label=_("Second table (CSV)"), required=False)
    level = forms.TypedChoiceField(
        label=_("The disease is named by"), coerce=int, required=False,
        choices=[
            (0, _("as the format says")), (1, _("the folder that holds the photo")), (2, _("the folder above that")),
            (3, _("two folders above")), (-1, _("the outermost folder")), (-2, _("the second folder from outside")),
        ],
    )  # fmt: skip
    kind = forms.ChoiceField(label=_("Kind of photo, where the table does not say"), required=False)
    confirmed_by = forms.ChoiceField(label=_("Confirmed by, where the table does not say"), required=False)
    ethnicity = forms.CharField(
        label=_("Population, where the table does not say"), required=False, max_length=80,
        help_text=_("Kept as the ethnicity of each photo and the population of the source."),
    )  # fmt: skip
    mapping = forms.ModelChoiceField(
        SavedMapping.objects.none(), label=_("Saved mapping"), required=False, empty_label=_("None")
    )

    class Meta:
        model = Import
        fields = ["name", "format", "role"]

    def __init__(self, *args, clinic: Clinic, **kwargs):
        super().__init__(*args, **kwargs)
        self.clinic = clinic
        folders = [("", "–"), *((name, name) for name in waiting_folders(clinic))]
        choices_of(self, "waiting").choices = folders
        mappings = SavedMapping.objects.filter(clinic=clinic)
        rows_of(self, "mapping").queryset = mappings
        if len(folders) == 1:
            self.fields["waiting"].widget = forms.HiddenInput()
        if not mappings.exists():
            self.fields["mapping"].widget = forms.HiddenInput()
        self.fields["name"].help_text = _("Also the name of the source; importing under it again updates it.")
        choices_of(self, "format").choices = [("", _("Choose the format")), *Import.Format.choices]
        self.fields["format"].widget.attrs["data-without-table"] = " ".join(WITHOUT_TABLE)
        choices_of(self, "kind").choices = [("", "–"), *Photo.Kind.choices]
        choices_of(self, "confirmed_by").choices = [("", "–"), *Diagnosis.ConfirmedBy.choices]
        self.fields["second"].help_text = _("Where a format has its labels in a table of their own.")
        self.fields["second"].widget.attrs["accept"] = ".csv,.tsv,.txt,text/csv"
        joined = [key for key, layout in LAYOUTS.items() if layout.joined_by]
        self.fields["format"].widget.attrs["data-with-second"] = " ".join(joined)
        self.fields["archive"].help_text = _(
            "Not needed for a corrected table of photos that are there already."
        )
        self.fields["archive"].widget.attrs["accept"] = ".zip,application/zip"
        self.fields["table"].widget.attrs["accept"] = ".csv,.tsv,.txt,text/csv"
        self.fields["table"].help_text = _("A line a photo. Not needed where it lies among the photos.")
        for name in PROVENANCE:
            scheme: dict[str, Any] = {"assume_scheme": "https"} if name == "url" else {}
            field = field_of(Source, name).formfield(**scheme)
            if field is None:
                raise ImproperlyConfigured(f"Source.{name} has no field in forms")
            field.required = False
            if name == "citation":
                field.widget.attrs["rows"] = 2
            self.fields[name] = field

    def clean(self):
        super().clean()
        values = self.cleaned_data
        archive, waiting, table = (bool(values.get(name)) for name in ("archive", "waiting", "table"))
        if archive and waiting:
            self.add_error("archive", _("Choose a ZIP or a folder on the server, one of the two."))
        elif (
            not archive and not waiting and "waiting" not in self.errors and not (table and self._is_known())
        ):
            self.add_error("archive", _("Choose a ZIP or a folder on the server, one of the two."))
            if not table and values.get("format") not in TABLE_INSIDE:
                self.add_error("table", _("This format needs its table."))
        return values

    def _is_known(self) -> bool:
        """Whether the source has photos that a table alone may speak of."""
        name = self.cleaned_data.get("name", "")
        return Entry.objects.filter(clinic=self.clinic, source__name=name, source__is_own=False).exists()

    @property
    def defaults(self) -> dict[str, str]:
        """What holds for all photos of which the table says nothing."""
        names = ("kind", "confirmed_by", "ethnicity")
        return {name: self.cleaned_data[name] for name in names if self.cleaned_data.get(name)}

    @property
    def provenance(self) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in PROVENANCE}
