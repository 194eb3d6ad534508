"""What `manage.py classify` writes: a JSON list, a table, heatmap files."""

import json
import re
from dataclasses import asdict
from pathlib import Path

from django.core.management.base import OutputWrapper

from classifier.analysing.photo_files import Classified
from classifier.analysing.pipeline import Outcome
from classifier.metrics.familiarity import is_unlike
from classifier.networks.manifest import Manifest
from classifier.plots.colormaps import three_panels
from classifier.runtimes import Computed
from skinclinic.imaging import NOTES
from skinclinic.imaging.quality import shows_nothing
from skinclinic.management.terminal import printable
from skinclinic.vocabulary.diseases import BY_KEY


class JsonWriter:
    """Writes a JSON list, an entry a line, as the results come."""

    def __init__(self, out: OutputWrapper, manifest: Manifest):
        self._out = out
        self._model = manifest.name
        self._separator = ""

    def start(self) -> None:
        self._out.write("[", ending="")

    def add(self, result: Classified, differential: list[dict]) -> None:
        entry = {
            "path": result.path,
            "model": self._model,
            "scores": result.outcome.scores if result.outcome else {},
            "differential": differential,
            "computed": asdict(result.outcome.computed) if result.outcome else None,
            "unlike_training_photos": _unlike(result.outcome),
            "notes": [NOTES[code] for code in result.notes],
            "error": result.error,
        }
        self._out.write(f"{self._separator}\n{json.dumps(entry, allow_nan=False)}", ending="")
        self._separator = ","

    def end(self) -> None:
        self._out.write("\n]")


class TableWriter:
    """Writes a line for each photo: what is listed, or the highest score, and what speaks against trust."""

    def __init__(
        self,
        out: OutputWrapper,
        manifest: Manifest,
        thresholds: str | None,
        paths: list[str],
        computed: Computed,
    ):
        self._out = out
        self._computed = computed
        self._manifest = manifest
        self._thresholds = thresholds
        self._width = max(len(printable(path)) for path in paths)

    def start(self) -> None:
        kind = "demo model " if self._manifest.demo else ""
        self._out.write(f"Model: {kind}{self._manifest.name}, trained on {self._manifest.trained_on}")
        self._out.write(f"Listed: score above its threshold ({self._thresholds or 'the model has none'})")
        self._out.write(f"Computed with: {self._computed.runtime}, {self._computed.precision}")
        self._out.write("Research software: no diagnosis.\n")

    def add(self, result: Classified, differential: list[dict]) -> None:
        self._out.write(f"{printable(result.path):<{self._width}}  {self._say(result, differential)}")

    def end(self) -> None:
        pass

    def _say(self, result: Classified, differential: list[dict]) -> str:
        if result.outcome is None:
            return f"not classified: {(result.error or {}).get('message', '')}"
        if differential:
            parts = [_name_and_score(entry["disease"], entry["score"]) for entry in differential]
        else:
            highest = max(result.outcome.scores, key=result.outcome.scores.__getitem__)
            parts = ["none listed; highest " + _name_and_score(highest, result.outcome.scores[highest])]
        if shows_nothing(result.outcome.quality.to_json()):
            parts.insert(0, "nothing to judge on this photo")
        if self._manifest.background_classes:
            parts.append(f"not among these 12: {result.outcome.background:.2f}")
        if result.outcome.quality.warnings:
            parts.append(
                "photo: " + ", ".join(code.replace("_", " ") for code in result.outcome.quality.warnings)
            )
        if _unlike(result.outcome):
            parts.append("not like the model's training photos")
        parts += [NOTES[code].removesuffix(".") for code in result.notes]
        return "; ".join(parts)


def _unlike(outcome: Outcome | None) -> bool | None:
    """Whether the photo is unlike the model's training photos; None where it cannot be told."""
    return None if outcome is None or outcome.unlike is None else bool(is_unlike(outcome.unlike))


def _name_and_score(key: str, score: float) -> str:
    return f"{BY_KEY[key].name_en} {score:.2f} ({BY_KEY[key].tier})"


def save_heatmaps(
    folder: Path, number: int, result: Classified, differential: list[dict], model: str
) -> None:
    """Write the three panels of each listed disease, or of the likeliest if none is listed, as PNG files.

    Named by the photo's number in the input, the letters of its name that every system takes, the disease.
    """
    if result.outcome is None or result.crop is None:
        return
    scores = result.outcome.scores
    keys = [entry["disease"] for entry in differential] or [max(scores, key=scores.__getitem__)]
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", Path(result.path).stem)[:80]
    folder.mkdir(parents=True, exist_ok=True)
    for key in keys:
        heatmap = result.outcome.maps[list(scores).index(key)]
        caption = [
            f"{BY_KEY[key].name_en} · {model}",
            "Where the model looked, not where the disease is. No diagnosis.",
        ]
        three_panels(result.crop, heatmap, caption=caption).save(folder / f"{number:04d}-{stem}-{key}.png")
