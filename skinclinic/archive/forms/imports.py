"""The form that begins an import."""

from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from skinclinic.archive.formats.reading import WITHOUT_TABLE
from skinclinic.archive.models import PROVENANCE, Import, SavedMapping, Source
from skinclinic.forms.fields import choices_of, rows_of
from skinclinic.models import Clinic
from skinclinic.models.columns import field_of


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
        self.fields["archive"].widget.attrs["accept"] = ".zip,application/zip"
        self.fields["table"].widget.attrs["accept"] = ".csv,.tsv,.txt,text/csv"
        self.fields["table"].help_text = _("A line a photo; with commas, semicolons or tabs.")
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
        if bool(values.get("archive")) == bool(values.get("waiting")) and "waiting" not in self.errors:
            self.add_error("archive", _("Choose a ZIP or a folder on the server, one of the two."))
        # An export of this product brings its own table.
        without = (*WITHOUT_TABLE, Import.Format.EXPORT)
        if values.get("format") not in without and not values.get("table"):
            self.add_error("table", _("This format needs its table."))
        return values

    @property
    def provenance(self) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in PROVENANCE}
