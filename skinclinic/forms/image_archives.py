"""The form of an image archive."""

import re

from django import forms
from django.utils.translation import gettext_lazy as _

from skinclinic.forms.fields import choices_of
from skinclinic.models import ImageArchive
from skinclinic.services import image_archives
from skinclinic.web import outgoing

# What PS3.5 lets an AE title be.
_TITLE = re.compile(r"[ -\[\]-~]{1,16}")
_HOST = re.compile(r"[A-Za-z0-9.:_-]{1,200}")
_NO_ADDRESS = _("Give an address such as https://pacs.example.org/dicom-web, without name and password.")
_NOT_ALLOWED = _(
    "The server's operator has not allowed any network that this archive could be in. Have it allowed first "
    "(IMAGE_ARCHIVE_NETWORKS); DICOMweb at a public address by https needs no permission."
)


class ImageArchiveForm(forms.ModelForm):
    """Where it is, and how it is reached."""

    url = forms.URLField(label=_("Address"), max_length=300, required=False, assume_scheme="https")

    class Meta:
        model = ImageArchive
        fields = ["name", "way", "url", "host", "port", "called", "calling"]
        widgets = {"way": forms.RadioSelect}
        help_texts = {
            "host": _("Of DICOM: a name or an address, such as pacs.example.org."),
            "port": _("Of DICOM, such as 104 or 11112."),
            "called": _("Of DICOM: what it calls itself, at most 16 characters."),
            "calling": _("Of DICOM: what it knows this clinic as, at most 16 characters."),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["url"].help_text = _(
            "Of DICOMweb: what /studies follows, such as https://pacs.example.org/dicom-web."
        )
        # Two ways, and none chosen for anybody.
        choices_of(self, "way").choices = ImageArchive.Way.choices
        self.fields["port"].widget.attrs |= {"min": 1, "max": 65535}

    def clean(self):
        values = super().clean() or self.cleaned_data
        there = ImageArchive.objects.filter(clinic=self.instance.clinic, name=values.get("name", ""))
        if there.exists():
            self.add_error("name", _("There is one of this name already."))
        if values.get("way") == ImageArchive.Way.WEB:
            self._require_url(values.get("url", ""))
            values |= {"host": "", "port": None, "called": "", "calling": ""}
        elif values.get("way") == ImageArchive.Way.DICOM:
            values["url"] = ""
            self._require_titles(values)
        return values

    def _require_url(self, url: str) -> None:
        try:
            outgoing.require_possible(url, image_archives.allowed_networks())
        except outgoing.NotSent as error:
            if "url" not in self.errors:
                self.add_error("url", _NOT_ALLOWED if error.code == "not_allowed" else _NO_ADDRESS)

    def _require_titles(self, values: dict) -> None:
        if not _HOST.fullmatch(values.get("host", "")) and "host" not in self.errors:
            self.add_error("host", _("Give its name or address, such as pacs.example.org."))
        elif "host" not in self.errors:
            try:
                outgoing.require_possible_host(values["host"], 104, image_archives.allowed_networks())
            except outgoing.NotSent:
                self.add_error("host", _NOT_ALLOWED)
        if not 0 < (values.get("port") or 0) < 65536 and "port" not in self.errors:
            self.add_error("port", _("Give a port from 1 to 65535."))
        for name in ("called", "calling"):
            if not _TITLE.fullmatch(values.get(name, "")) and name not in self.errors:
                self.add_error(name, _("Give 1 to 16 plain characters, without a backslash."))
