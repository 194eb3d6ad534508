"""The sample: what there is to draw from, the recipe, the photos drawn."""

from collections import Counter
from dataclasses import dataclass, replace

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from classifier.services.evaluation import evaluations
from reader_study.models import Study
from reader_study.presenters import words
from reader_study.services.access import Access
from reader_study.services.making import opening, reference, sampling, taking_out
from reader_study.services.making.sampling import Recipe
from reader_study.views.common import access_of, frame, study_of
from skinclinic.permissions import STUDY
from skinclinic.services.refused import Refused
from skinclinic.vocabulary.diseases import BY_KEY, DISEASE_KEYS
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import ngettext
from skinclinic.web.inputs import is_key
from skinclinic.web.requests import SignedInRequest

# Drawing by the recipe there is: with another seed; as it is, for another model; with what was taken out.
_OTHER_SEED, _SAME, _AGAIN = _DRAWING = "redraw", "same", "again"
BY_DISEASE, BY_TIER = "disease", "tier"


@dataclass(frozen=True)
class Choice:
    """What the upper form asks: datasets, which photos, counted by what."""

    versions: tuple[int, ...] = ()
    proven_only: bool = True
    one_per_patient: bool = True
    by: str = BY_DISEASE

    @classmethod
    def of(cls, sent: QueryDict, recipe: Recipe | None) -> "Choice":
        if "set" in sent:
            versions = tuple(dict.fromkeys(int(text) for text in sent.getlist("version") if is_key(text)))
            by = BY_TIER if sent.get("by") == BY_TIER else BY_DISEASE
            return cls(versions, bool(sent.get("proven")), bool(sent.get("patient")), by)
        if recipe is None:
            return cls()
        groups = {group for one in recipe.per.values() for group in one}
        by = BY_TIER if groups & set(sampling.TIERS) else BY_DISEASE
        return cls(tuple(recipe.per), recipe.proven_only, recipe.one_per_patient, by)

    @property
    def groups(self) -> tuple[str, ...]:
        return sampling.TIERS if self.by == BY_TIER else DISEASE_KEYS


@require_http_methods(["GET", "HEAD", "POST"])
def sample(request: SignedInRequest, pk: int) -> HttpResponse:
    """The recipe (while the study is a draft) and the photos drawn by it."""
    access = access_of(request, pk)
    access.require_photos()
    study = access.study
    if request.method == "POST":
        return _draw(request, access, study_of(request, pk, STUDY))
    context = frame(request, study, "sample") | _drawn(access)
    context["strength"] = reference.strength(study)
    if study.is_draft:
        recipe = Recipe.of(study)
        choice = Choice.of(request.GET, recipe)
        is_choosing = "set" in request.GET or not context["images"]
        context |= _form(study, choice, recipe, {}, {}, with_counts=is_choosing) | {
            "is_choosing": is_choosing
        }
    return render(request, "studies/sample.html", context)


def _draw(request: SignedInRequest, access: Access, study: Study) -> HttpResponse:
    """Fill in the paper's numbers, or draw."""
    recipe, choice = Recipe.of(study), Choice.of(request.POST, None)
    numbers = {
        (version, group): request.POST.get(f"n-{version}-{group}", "").strip()
        for version in choice.versions
        for group in choice.groups
    }
    errors: dict[str, str] = {}
    texts = {"seed": request.POST.get("seed", ""), "practice": request.POST.get("practice", "")}
    if request.POST.get("act") != "paper":
        try:
            wanted = _recipe(choice, numbers, texts)
            sampling.draw(study, request.user, wanted)
        except Refused as refused:
            errors[refused.field] = str(refused)
        else:
            return _after_drawing(request, study)
    context = frame(request, study, "sample") | _drawn(access)
    found = _form(study, choice, recipe, numbers, errors | _texts(texts))
    if request.POST.get("act") == "paper" and found["stock"] is not None:
        preset = sampling.as_in_paper(found["stock"])
        numbers = {(version, group): str(n) for version, one in preset.items() for group, n in one.items()}
        found = _form(study, replace(choice, by=BY_DISEASE), recipe, numbers, errors | _texts(texts))
    return render(
        request, "studies/sample.html", context | found | {"is_choosing": True}, status=422 if errors else 200
    )


def _texts(texts: dict[str, str]) -> dict[str, str]:
    return {f"text_{name}": text[:20] for name, text in texts.items()}


def _after_drawing(request: HttpRequest, study: Study) -> HttpResponse:
    study.refresh_from_db()
    short = study.recipe["unfilled"]
    n = study.images.filter(is_practice=False).count()
    text = ngettext("%d photo was drawn.", "%d photos were drawn.", n) % n
    if short:
        text += " " + _("Some could not be found; see below.")
    if step := opening.next_step(study):
        text += " " + _("Next: %(step)s") % {"step": step}
    (messages.warning if short else messages.success)(request, text)
    return redirect("study-sample", study.pk)


def _recipe(choice: Choice, numbers: dict, texts: dict[str, str]) -> Recipe:
    per: dict[int, dict[str, int]] = {version: {} for version in choice.versions}
    for (version, group), text in numbers.items():
        if text and (n := _number(text, "per", _("The numbers of photos are whole numbers."))):
            per[version][group] = n
    seed_text = texts["seed"].strip()
    return Recipe(
        per=per,
        seed=_number(seed_text, "seed", _("The seed is a whole number."))
        if seed_text
        else sampling.new_seed(),
        proven_only=choice.proven_only,
        one_per_patient=choice.one_per_patient,
        practice=_number(texts["practice"].strip() or "0", "practice", _("Give a whole number.")),
    )


def _number(text: str, field: str, message: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 11):
        raise Refused(field, message)
    return int(text)


def _form(
    study: Study,
    choice: Choice,
    recipe: Recipe | None,
    numbers: dict,
    said: dict[str, str],
    *,
    with_counts: bool = True,
) -> dict:
    """What the two forms show: the datasets on offer, and for the chosen ones what there is and is wanted."""
    context = {
        "offers": evaluations.dataset_offers(study.clinic),
        "choice": choice,
        "stock": None,
        "errors": said,
        "seed": said.get("text_seed", str(recipe.seed) if recipe else ""),
        "practice_wanted": said.get("text_practice", str(recipe.practice) if recipe else "2"),
        "most_practice": sampling.MOST_PRACTICE,
    }
    if not (choice.versions and with_counts):
        return context
    try:
        versions = sampling.versions_of(study.clinic, choice.versions)
    except Refused as refused:
        return context | {"errors": said | {refused.field: str(refused)}}
    taken_out = study.recipe.get("taken_out", [])
    found = sampling.stock(versions, study.model_version, proven_only=choice.proven_only, taken_out=taken_out)
    counts = found.counts()
    stored = {} if numbers or recipe is None else recipe.per
    rows = []
    for group in choice.groups:
        cells = []
        for version in versions:
            photos, patients = counts.get((version.pk, group), (0, 0))
            wanted = numbers.get((version.pk, group), stored.get(version.pk, {}).get(group, ""))
            cells.append({"name": f"n-{version.pk}-{group}", "version": version, "wanted": wanted,
                          "photos": photos, "patients": patients})  # fmt: skip
        rows.append({"group": group, "name": words.group_name(group), "cells": cells})
    return context | {
        "stock": found,
        "versions": versions,
        "rows": rows,
        "stock_left_out": words.left_out(found.left_out_in_all()),
    }


def _drawn(access: Access) -> dict:
    """The photos of the sample, by disease for those who may see it, and how many of each dataset were found and
    wanted."""
    study = access.study
    images = list(study.images.select_related("photo").order_by("number"))
    counted = [image for image in images if not image.is_practice]
    counts = Counter((image.truth, image.dataset) for image in counted)
    recipe = study.recipe or {}
    names = recipe.get("datasets", {})
    datasets = sorted({image.dataset for image in counted} | set(names.values()))
    wanted: Counter[tuple[str, str]] = Counter()
    for version, groups in recipe.get("per", {}).items():
        for group, n in groups.items():
            wanted[group, names.get(version, version)] += n
    table = [
        {
            "key": key,
            "cells": [(counts[key, dataset], wanted[key, dataset]) for dataset in datasets],
            "total": sum(counts[key, dataset] for dataset in datasets),
        }
        for key in BY_KEY
        if any(counts[key, dataset] or wanted[key, dataset] for dataset in datasets)
    ]
    return {
        "images": images,
        "shows_truth": access.can_see_truth,
        "by_disease": [
            (key, group) for key in BY_KEY if (group := [image for image in counted if image.truth == key])
        ]
        if access.can_see_truth
        else [("", counted)],
        "practice_images": [image for image in images if image.is_practice],
        "photo_count": len(counted),
        "datasets": datasets,
        "table": table,
        "totals": [sum(counts[key, dataset] for key in BY_KEY) for dataset in datasets],
        "recipe": recipe,
        "is_of_other_model": bool(recipe.get("per")) and recipe.get("model") != study.model_version_id,
        "unfilled": [row | {"name": words.group_name(row["group"])} for row in recipe.get("unfilled", [])],
        "left_out": words.left_out(recipe.get("left_out", {})),
        "taken_out_count": len(recipe.get("taken_out", [])),
    }


@require_POST
def sample_act(request: SignedInRequest, pk: int) -> HttpResponse:
    """Draw with another seed, take a photo out, replace it, or let those taken out be drawn again."""
    study = study_of(request, pk, STUDY)
    try:
        if (act := request.POST.get("act", "")) in _DRAWING:
            return _redraw(request, study, act)
        for way in ("take", "replace"):
            if is_key(text := request.POST.get(way, "")):
                return _take_out(request, study, int(text), way == "replace")
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("study-sample", pk)
    messages.error(request, _("Choose what to do with the sample."))
    return redirect("study-sample", pk)


def _redraw(request: SignedInRequest, study: Study, act: str) -> HttpResponse:
    recipe = Recipe.of(study)
    if recipe is None:
        raise Refused("per", _("Draw a sample first."))
    again = study.recipe.get("taken_out", []) if act == _AGAIN else []
    if act == _OTHER_SEED:
        recipe = replace(recipe, seed=sampling.new_seed())
    sampling.draw(study, request.user, recipe, again=again)
    return _after_drawing(request, study)


def _take_out(request: SignedInRequest, study: Study, image: int, is_replacing: bool) -> HttpResponse:
    row = study.images.filter(pk=image).first()
    if row is None:
        raise Refused(
            "image", _("This photo is not in the sample any more. The page shows the sample of now.")
        )
    if taking_out.take_out(study, row, request.user, replace=is_replacing):
        messages.success(request, _("Another photo of the same disease took its place."))
    elif is_replacing:
        messages.warning(request, _("The photo was taken out; no other of its disease and dataset is left."))
    else:
        messages.success(request, _("The photo was taken out."))
    return redirect("study-sample", study.pk)
