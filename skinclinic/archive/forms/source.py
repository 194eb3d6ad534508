from django import forms
from django.utils.translation import gettext as _

from skinclinic.archive.models import PROVENANCE, Source
from skinclinic.forms.merging import KeepsOthersWork


class SourceForm(KeepsOthersWork):
    """Where photos come from; what is not known stays empty and is shown as missing."""

    url = Source._meta.get_field("url").formfield(assume_scheme="https")

    class Meta:
        model = Source
        fields = ["name", *PROVENANCE]
        widgets = {"citation": forms.Textarea(attrs={"rows": 2})}

    def clean_name(self) -> str:
        name = self.cleaned_data["name"]
        others = Source.objects.filter(clinic=self.instance.clinic_id, name=name).exclude(pk=self.instance.pk)
        if others.exists():
            raise forms.ValidationError(_("This clinic already has a source with this name."))
        return name
