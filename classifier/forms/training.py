"""The form that asks for a training."""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from classifier.models import ModelVersion
from classifier.networks.architectures import ARCHITECTURES
from classifier.services.models import registry
from classifier.services.training import trainings
from classifier.services.training.data import Offer
from classifier.training.plan import IMAGENET, LARGEST_IMAGE, RANDOM, SMALLEST_IMAGE
from skinclinic.forms.fields import OneLineField, choices_of

FROM_MODEL = "model:"
NETWORKS = {
    "resnet152": gettext_lazy("ResNet-152: the most exact here; needs a GPU for more than a trial"),
    "efficientnet_lite0": gettext_lazy("EfficientNet-Lite0: compact; a few hundred photos train on a laptop"),
    "resnet101": gettext_lazy("ResNet-101: a third fewer layers"),
    "resnet50": gettext_lazy("ResNet-50: three times as fast as ResNet-152"),
    "resnet34": gettext_lazy("ResNet-34: small"),
    "resnet18": gettext_lazy("ResNet-18: the smallest ResNet"),
    "resnet152-caffe": gettext_lazy("ResNet-152 as published for Caffe: to go on from an imported model"),
    "resnet101-caffe": gettext_lazy("ResNet-101 as published for Caffe: to go on from an imported model"),
    "resnet50-caffe": gettext_lazy("ResNet-50 as published for Caffe: to go on from an imported model"),
    "efficientnet_lite1": gettext_lazy("EfficientNet-Lite1: compact, a little larger"),
    "efficientnet_lite2": gettext_lazy("EfficientNet-Lite2: compact, the largest of the three"),
}


class TrainingForm(forms.Form):
    """``offers``: the clinic's frozen versions; those with a problem are shown but cannot be chosen."""

    name = OneLineField(
        label=gettext_lazy("Name of the model"),
        max_length=70,
        help_text=gettext_lazy(
            "a-z, 0-9, dot, hyphen and underscore. Several runs are numbered: name-1, name-2 …"
        ),
    )
    dataset = forms.ChoiceField(label=gettext_lazy("Dataset"), widget=forms.RadioSelect)
    architecture = forms.ChoiceField(
        label=gettext_lazy("Network"),
        choices=sorted(
            ((name, NETWORKS.get(name, name)) for name in ARCHITECTURES),
            key=lambda one: [*NETWORKS, one[0]].index(one[0]),
        ),
        initial=trainings.DEFAULT_ARCHITECTURE,
    )
    init = forms.ChoiceField(
        label=gettext_lazy("Starting weights"),
        help_text=gettext_lazy(
            "From ImageNet, a network learns from far fewer photos. A model goes on from what it knows; "
            "what it was trained on before then counts as its training data, too."
        ),
    )
    runs = forms.IntegerField(
        label=gettext_lazy("Runs"),
        min_value=1,
        max_value=trainings.MOST_RUNS,
        initial=1,
        help_text=gettext_lazy(
            "Trainings that differ by their random seeds alone. Three or more give a mean and a standard deviation."
        ),
    )
    epochs = forms.IntegerField(
        label=gettext_lazy("Epochs"),
        min_value=1,
        max_value=trainings.MOST_EPOCHS,
        initial=trainings.DEFAULT_EPOCHS,
        help_text=gettext_lazy("How often the training goes through all photos."),
    )
    image_size = forms.IntegerField(
        label=gettext_lazy("Image size"),
        min_value=SMALLEST_IMAGE,
        max_value=LARGEST_IMAGE,
        required=False,
        help_text=gettext_lazy("Side in pixels the square crop is scaled to; empty: the network's own."),
    )
    batch = forms.IntegerField(
        label=gettext_lazy("Batch size"),
        min_value=2,
        max_value=trainings.MOST_BATCH,
        initial=trainings.DEFAULT_BATCH,
        help_text=gettext_lazy("Photos a step. Fewer need less memory."),
    )
    seed = forms.IntegerField(
        label=gettext_lazy("Seed"),
        min_value=0,
        max_value=trainings.LARGEST_SEED,
        initial=0,
        help_text=gettext_lazy("The same seed on the same machine gives the same weights."),
    )

    def __init__(self, *args, clinic, offers: list[Offer], **kwargs):
        super().__init__(*args, **kwargs)
        self.offers = {str(offer.version.pk): offer for offer in offers if not offer.problem}
        self.models = {
            f"{FROM_MODEL}{version.pk}": version for version in registry.available(clinic).order_by("name")
        }
        choices_of(self, "dataset").choices = [(pk, str(offer.version)) for pk, offer in self.offers.items()]
        choices_of(self, "init").choices = [
            (IMAGENET, _("ImageNet (public weights)")),
            (RANDOM, _("Random (from nothing)")),
            (
                _("A model of this clinic, of the same network"),
                [(key, f"{version} ({version.architecture})") for key, version in self.models.items()],
            ),
        ]

    def clean(self):
        """A model to start from must be of the network chosen."""
        super().clean()
        values = self.cleaned_data
        version: ModelVersion | None = self.models.get(values.get("init", ""))
        if version and values.get("architecture") not in (None, version.architecture):
            self.add_error(
                "init",
                _("%(name)s is of the network %(network)s. Choose that network or other weights.")
                % {"name": version, "network": version.architecture},
            )
        return values

    def wanted(self) -> trainings.Wanted:
        """What is asked for, once the form is valid."""
        values = self.cleaned_data
        version = self.models.get(values["init"])
        return trainings.Wanted(
            name=values["name"],
            architecture=values["architecture"],
            init=str(version.path) if version else values["init"],
            runs=values["runs"],
            epochs=values["epochs"],
            batch=values["batch"],
            image_size=values["image_size"],
            seed=values["seed"],
        )
