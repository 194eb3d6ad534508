"""What a colleague outside is told of the model, where the clinic lets them and once they have answered."""

from collections.abc import Sequence
from dataclasses import dataclass

from classifier.models import Analysis
from classifier.presenters import cautions
from classifier.presenters.differential import ResultView
from classifier.presenters.result import answer_view
from classifier.services.analysis.analyses import current_analysis
from classifier.services.models.card import validated_on
from skinclinic.models import Photo, SecondOpinion

Show = SecondOpinion.Show


@dataclass(frozen=True)
class PhotoAnswer:
    """The answer to the photo of this number, against the clinic's balanced thresholds, else its first. ``cautions``:
    what speaks against it."""

    number: int
    analysis: Analysis
    view: ResultView
    validated_on: str
    shows_scores: bool
    shows_heatmap: bool
    cautions: list[str]


def answers_of(opinion: SecondOpinion, photos: Sequence[Photo]) -> list[PhotoAnswer]:
    """The finished answers to these photos, numbered from 1, with what may be shown of them."""
    scores, heatmap = Show.MODEL in opinion.shows, Show.HEATMAP in opinion.shows
    if not (scores or heatmap):
        return []
    found = []
    for number, photo in enumerate(photos, 1):
        analysis = current_analysis(photo)
        if analysis is None or not analysis.is_done:
            continue
        view = answer_view(analysis, analysis.model_version.usual_thresholds(opinion.clinic_id))
        has_map = heatmap and not view.set_aside
        told = validated_on(analysis.model_version.manifest)
        against = [] if view.set_aside else cautions.of_answer(analysis)
        found.append(PhotoAnswer(number, analysis, view, told, scores, has_map, against))
    return found
