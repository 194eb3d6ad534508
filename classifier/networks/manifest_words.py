"""What manifests say in words of the product's own, which pages tell in the reader's language; a manifest itself is in
English. Pure."""


def _(text: str) -> str:
    """Marks what translators are shown."""
    return text


# What the demo model is for, and what it cannot do.
INTENDED_USE = _(
    "Demonstration only: to show how the software works. It is not a medical device and must not be used to "
    "judge a patient's skin."
)
LIMITS = _(
    "Six of the 12 diseases (iec, lentigo, pg, hemangioma, df, wart) are known from computer drawings alone, "
    "so a photo of one of them will be misjudged. The photos are few, from one Brazilian programme, taken with "
    "smartphones, nearly all of light to medium skin. In that set squamous cell carcinoma includes Bowen's "
    "disease, which is therefore learnt as scc. The output for none of the 12 is known from drawings of bare "
    "skin and of surfaces alone."
)
# The rest of what the one that is shipped says, figures and all, as it stands in its manifest.
_SHIPPED = (
    _(
        "1006 smartphone photos of 748 patients from PAD-UFES-20 (Pacheco et al., Data in Brief 32 (2020) 106221, "
        "doi:10.17632/zr7vgbcyr2.1, CC BY 4.0): bcc 329, scc 67, ak 255, sk 135, mm 40, nevus 180; and 20 computer "
        "drawings of each of the 12 diseases and 60 drawings of bare skin and surfaces. Before that, ImageNet."
    ),
    _(
        "5-fold cross-validation on the photos alone, patients kept together: each photo was scored by a network "
        "trained by the same recipe without its patient. Mean of the one-vs-rest AUCs of the six diseases, on scores "
        "that are shared out among all 12, pooled over the folds. Not an independent test: the recipe was settled on "
        "the same photos."
    ),
    _("PAD-UFES-20 photos, out of fold, six diseases"),
    _(
        # xgettext:no-python-format
        "Out-of-fold scores of 1006 PAD-UFES-20 photos. For iec, lentigo, pg, hemangioma, df, wart, of which there are "
        "no photos, computer drawings instead, and at least 95 % of those photos must not be listed; their thresholds "
        "say nothing about patients."
    ),
)
# How the maps of a network come about, where not as usual.
MAPS_BY_GRADIENT = _(
    "Grad-CAM of the last feature maps, the gradient computed by PyTorch for each photo through all that "
    "follows them, as pytorch-grad-cam does; so PyTorch runs this network, not OpenVINO."
)
MAPS_IN_CLOSED_FORM = _(
    "Grad-CAM of the last feature maps, the gradient in closed form through %(kinds)s behind the pooling."
)
KNOWN = frozenset({INTENDED_USE, LIMITS, MAPS_BY_GRADIENT, *_SHIPPED})
