"""Whether a photo is like those the model was trained on, in words that stand before its scores."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from classifier.services.analysis.summaries import state_of
from skinclinic.services.photo_answers import LIKE, NOT_EVALUABLE, UNLIKE
from skinclinic.web.counts import gettext as _


@dataclass(frozen=True)
class Told:
    """``state``: one of ``photo_answers.STATES``. ``text``: in a sentence; ``details``: what it rests on and what it
    cannot tell, "" where there is nothing to say.
    ``distance``: in parts of the limit."""

    state: str
    text: str
    details: str = ""
    distance: float | None = None

    @property
    def is_unlike(self) -> bool:
        return self.state == UNLIKE

    @property
    def whole(self) -> str:
        """All of it, for print."""
        return f"{self.text} {self.details}".strip()


def told(unlike: float | None, manifest: Mapping[str, Any]) -> Told:
    """Of an answer's ``unlike`` by the model of this manifest."""
    state, said = state_of(unlike), manifest.get("familiarity") or {}
    if state == NOT_EVALUABLE and not said:
        text = _(
            "Whether this photo is like the model’s training photos is not evaluable: the model does not say what "
            "these are like."
        )
        return Told(state, text)
    if state == NOT_EVALUABLE:
        text = _(
            "Whether this photo is like the model’s training photos is not evaluable: this answer holds nothing to "
            "compare."
        )
        return Told(state, text)
    if state == LIKE:
        return Told(state, _("Like the model’s training photos."), _limits(), unlike)
    rests_on = _rests_on(said) if said else ""
    text = " ".join((_("Not like the model’s training photos."), _("Its scores may mean little here.")))
    return Told(state, text, f"{rests_on} {_limits()}".strip(), unlike)


def _rests_on(said: Mapping[str, Any]) -> str:
    """What the mark means, and how often it is wrong: as it was counted on patients whom the network does not know,
    where there were any."""
    further = _(
        "It is further from the %(photos)d training photos than %(share)s of them are from the others."
    ) % {"photos": said["photos"], "share": f"{100 * (1 - said['false_alarms']):.0f} %"}
    unseen = said.get("unseen")
    if unseen and unseen["photos"]:
        wrongly = _(
            "Of photos of patients that the model had not learnt from, this many are marked as well: %(share)s."
        )
        return f"{further} {wrongly % {'share': _share(unseen)}}"
    if said.get("networks"):
        wrongly = _(
            "In cross-validation, of photos of patients that the network of their fold had not learnt from, this many "
            "were marked as well: %(share)s."
        )
        return f"{further} {wrongly % {'share': _share(said['realised'])}}"
    wrongly = _(
        "So about %(alarms)s of such photos are marked as well; of new patients’ it may be more, since the model has "
        "learnt from these."
    ) % {"alarms": f"{100 * said['false_alarms']:.0f} %"}
    return f"{further} {wrongly}"


def of_model(manifest: Mapping[str, Any]) -> list[str]:
    """Sentences of a model's card: whether it tells photos unlike its training photos, and how often wrongly."""
    said = manifest.get("familiarity")
    if not said:
        return [_("Not evaluable: the model does not say what its training photos are like.")]
    meant = f"{100 * said['false_alarms']:.0f} %"
    held_back = (
        _(
            "Told by the distance from %(photos)d training photos of %(patients)d patients. False alarms meant: "
            "%(meant)s. In cross-validation, on held-back folds of these photos, which neither the fold’s network nor "
            "statistics nor limit had seen: %(share)s."
        )
        if said.get("networks")
        else _(
            "Told by the distance from %(photos)d training photos of %(patients)d patients. False alarms meant: "
            "%(meant)s. On held-back folds of these photos, which statistics and limit had not seen (the network had): "
            "%(share)s."
        )
    )
    found = [
        held_back
        % {
            "photos": said["photos"],
            "patients": said["patients"],
            "meant": meant,
            "share": _share(said["realised"]),
        }
    ]
    if unseen := said.get("unseen"):
        found.append(
            _("On photos of %(patients)d other patients, which the network had not seen either: %(share)s.")
            % {"patients": unseen["patients"], "share": _share(unseen)}
        )
        if (unseen["low"] or 0) > said["false_alarms"]:
            found.append(_("That is more than meant: it marks photos too often."))
    return found


def _share(said: Mapping[str, Any]) -> str:
    if not said["photos"] or said["low"] is None or said["high"] is None:
        return _("not evaluable")
    return _("%(alarms)d of %(photos)d (%(share)s; 95%% interval %(low)s to %(high)s)") % {
        "alarms": said["alarms"], "photos": said["photos"],
        "share": f"{100 * said['alarms'] / said['photos']:.1f} %",
        "low": f"{100 * said['low']:.1f} %", "high": f"{100 * said['high']:.1f} %",
    }  # fmt: skip


def _limits() -> str:
    return _(
        "This compares the look of the photo only. It cannot tell why a photo is unlike them (light, camera, site, "
        "skin, no skin, a disease the model does not know), nor that the scores of a photo without this mark are right."
    )
