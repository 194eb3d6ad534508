"""What is stored of a study that a protocol or a reporting guideline asks for, in sentences by key.

A key that is not there is not known here: the authors have to write it. Nothing in it tells what a single photo shows.
"""

from collections.abc import Iterator

from reader_study.models import Study, StudyDesign, StudyEvent, StudyResult, StudySession
from reader_study.services.making import designs, flow, reference
from reader_study.services.results import protocol_text
from reader_study.services.results.questions_text import endpoint_name
from skinclinic.vocabulary import spoken
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import grouped, ngettext


def told(study: Study) -> dict[str, str]:
    """{key of ``checklists.LABELS``: what is known}"""
    parts = (_about(study), _photos(study), _readers(study), _model(study), _analysis(study), _conduct(study))
    return {key: text for part in parts for key, text in part if text}


def _about(study: Study) -> Iterator[tuple[str, str]]:
    yield "title", study.name
    yield "objectives", study.description
    yield (
        "goal",
        (
            _("Non-inferiority of the model to readers, margin %(margin)s.") % {"margin": f"{study.margin:g}"}
            if study.margin is not None and study.model_version
            else _("Comparison of a model with readers.")
            if study.model_version
            else _("Accuracy of readers.")
        ),
    )
    is_run = study.origin == Study.Origin.RUN
    if is_run:
        yield "prospective", _("The photos were there before; the answers were collected after the protocol.")
    design = designs.of(study)
    sessions = [
        (
            _("%(name)s: with the model's answer after the reader's own")
            if one.is_aided
            else _("%(name)s: without the model")
        )
        % {"name": one.key}
        + _washout(one, design)
        for one in study.sessions.all()
    ]
    shared_out = [] if design.is_plain else list(_shared_out(design))
    yield "design", "; ".join([*sessions, *shared_out]) if is_run else ""
    yield "intervention", " ".join(filter(None, [study.question, "; ".join(sessions)]))
    if is_run:
        yield from _drawn_by_lot(study, design)
        yield (
            "blinding",
            _(
                "Readers do not know what the photos show, how often a disease occurs, or what others answered. Nobody "
                "sees answers or results before the study is closed, unless it is unblinded, which is logged."
            ),
        )


def _washout(session: StudySession, design: StudyDesign) -> str:
    """The days between the sessions; of arms with readers of their own there are none."""
    if not session.washout_days or design.arms == designs.Arms.PARALLEL:
        return ""
    if design.arms == designs.Arms.CROSSOVER:
        text = _(", at least %(n)d days between a reader's two sessions")
    else:
        text = _(", at least %(n)d days after the one before")
    return text % {"n": session.washout_days}


def _shared_out(design: StudyDesign) -> Iterator[str]:
    """Arms, blocks, photos that come twice."""
    if design.arms != designs.Arms.ALL:
        yield design.get_arms_display()
    if design.blocks > 1:
        yield _("%(n)d blocks of photos, of which each reader reads %(each)d") % {
            "n": design.blocks, "each": design.blocks_a_reader,
        }  # fmt: skip
        if design.seed is None or design.keeps_patients:
            yield _("all photos of one patient or lesion, as far as these are known, are in one block")
    if design.repeats:
        text = _(
            "%(n)d photos of each block come a second time in the same session, without the reader being told"
        )
        if design.blocks == 1:
            text = _("%(n)d photos come a second time in the same session, without the reader being told")
        yield text % {"n": design.repeats}


def _drawn_by_lot(study: Study, design: StudyDesign) -> Iterator[tuple[str, str]]:
    """The order of the photos, and the allocation of readers."""
    order = _("Each reader has the photos in a random order of their own.")
    if study.sessions.filter(is_aided=True).exists():
        yield (
            "similarity",
            _("The same page, photos and questions; in one session the model's answer is added."),
        )
    if design.arms == designs.Arms.ALL and design.blocks == 1:
        nothing = _("Nothing was drawn by lot: every reader reads every photo.")
        yield "allocation", nothing
        yield "restriction", nothing
        yield "sequence", order
        return
    seed = _("The list of allocations follows from a random seed.")
    yield "sequence", f"{seed} {order}"
    yield "restriction", _("Balanced within the groups of readers, in permuted blocks.")
    yield (
        "implementation",
        _(
            "The program drew the list when the study opened; each reader gets the next place on being invited."
        ),
    )
    yield (
        "allocation",
        _(
            "Readers get the places of a list drawn by lot, balanced within the groups of readers. Its seed is drawn "
            "when the study opens and kept back until it is closed."
        ),
    )


def _photos(study: Study) -> Iterator[tuple[str, str]]:
    recipe = study.recipe or {}
    datasets = sorted(set(study.images.values_list("dataset", flat=True)))
    yield "sources", ", ".join(datasets)
    if recipe.get("per"):
        proven = (
            _("biopsy-proven photos") if recipe.get("proven_only") else _("all photos, also without biopsy")
        )
        one = (
            _("at most one of a patient")
            if recipe.get("one_per_patient")
            else _("several of a patient may be drawn")
        )
        yield "eligibility", f"{proven}; {one}"
        yield "eligibility_input", f"{proven}; {one}"
        found_in = _("Photos of frozen datasets: %(names)s.") % {"names": ", ".join(datasets)}
        drawn = _("Drawn at random, so many of each disease, with seed %(seed)s.") % {"seed": recipe["seed"]}
        yield "identification", found_in
        yield "sampling", drawn
        yield "subsets", drawn
        yield "input", f"{found_in} {drawn}"
        yield (
            "deidentification",
            _("Photos are stored without metadata; readers get them without names or dates."),
        )
        yield "preprocessing", _("Photos are converted to sRGB and stored without metadata.")
    found = reference.strength(study)
    if found.counts and found.unknown < sum(found.counts.values()):
        yield "reference", found.in_words()
        yield "rater_variability", found.panel_in_words()
    yield "cutoff_reference", spoken.diseases(study.choices)
    counts = study.images.filter(is_practice=False)
    if n := counts.count():
        people = counts.exclude(dataset_item__person="").values("dataset_item__person").distinct().count()
        yield "baseline", _("%(n)d photos of %(people)d known patients. Tables by sex, age and skin type are in the "
                            "results.") % {"n": n, "people": people}  # fmt: skip


def _readers(study: Study) -> Iterator[tuple[str, str]]:
    found = flow.of(study)
    if found.invited:
        yield (
            "users",
            ", ".join(
                f"{group.name} {grouped(group.readers.counted().count())}" for group in study.groups.all()
            ),
        )
        text = ngettext("%(n)d reader withdrew.", "%(n)d readers withdrew.", found.withdrawn)
        yield "losses", text % {"n": found.withdrawn}
    if found.drawn:
        yield "flow", _(
            "%(drawn)d photos drawn, %(read)d read; %(invited)d readers invited, %(started)d began, %(finished)d "
            "finished."
        ) % {
            "drawn": found.drawn, "read": found.read, "invited": found.invited, "started": found.started,
            "finished": found.finished,
        }  # fmt: skip
    if found.photos_analysed is not None:
        yield "analysed", _("%(photos)d photos, %(readers)d readers.") % {
            "photos": found.photos_analysed, "readers": found.readers_analysed or 0,
        }  # fmt: skip


def _model(study: Study) -> Iterator[tuple[str, str]]:
    model = study.model_version
    if model is None:
        return
    manifest = model.manifest
    yield "ai_version", f"{model.name}, SHA-256 {model.weights_sha256}"
    yield "title_ai", f"{model.name}, {model.architecture}"
    intended = str(manifest.get("intended_use", ""))
    yield "intended_use", intended
    yield "background_use", intended
    yield "architecture", model.architecture
    yield "index", _("%(name)s gives a score to each of 12 diseases.") % {"name": model.name}
    yield "ai_output", _("Scores of 12 diseases, those above their thresholds first, with heatmaps.")
    yield "explainability", _("Heatmaps (Grad-CAM) of each disease, shown where the session is aided.")
    yield "training", str(manifest.get("trained_on", ""))
    yield "development", str(manifest.get("trained_on", ""))
    yield "external", str(manifest.get("validated_on", ""))
    recipe = study.recipe or {}
    # Of a sample drawn for another model it was not looked at.
    if recipe.get("per") and recipe.get("model") == model.pk:
        unknown = recipe.get("unknown_training")
        yield (
            "disjoint",
            (
                _("Nobody knows which photos “%(name)s” was trained on, so this could not be checked.")
                % {"name": unknown}
                if unknown
                else _("No photo of the sample, nor its lesion or patient, was trained on.")
            ),
        )
    yield (
        "audit",
        _("The model's scores of every photo, and every answer with its changes, are stored and exported."),
    )
    if study.sessions.filter(is_aided=True).exists():
        yield "ai_use", _("Shown after the reader's own first answer, which could then be kept or changed.")
    yield "cutoff", " ".join(_thresholds(study))


def _thresholds(study: Study) -> Iterator[str]:
    if study.is_draft:
        chosen = study.threshold_set
        if chosen:
            yield f"{chosen.name} ({protocol_text.values_in_words(chosen.values)})."
    else:
        yield from protocol_text.about_thresholds(study)
    yield protocol_text.about_operating_point(study)


def _analysis(study: Study) -> Iterator[tuple[str, str]]:
    yield (
        "outcomes",
        (
            _("Primary: %(names)s. All other comparisons are secondary.")
            % {"names": ", ".join(map(endpoint_name, study.endpoints))}
            if study.endpoints
            else _("No primary endpoint was named; every comparison is secondary.")
        ),
    )
    yield "metrics", _("Sensitivity, specificity, balanced accuracy, accuracy, area under the curve, kappa.")
    standard = _(
        "Obuchowski and Rockette's analysis for random readers and random cases (jackknife); Holm's correction over "
        "the primary endpoints."
    )
    design = designs.of(study)
    if design.arms == designs.Arms.PARALLEL or design.blocks > 1:
        other = _(
            "What is not read by the same readers with the same photos is compared by U-statistics for random readers "
            "and random cases (Gallas)."
        )
        standard = f"{standard} {other}"
    yield "statistics", " ".join(filter(None, [study.analysis_plan, standard]))
    yield (
        "robustness",
        _("Every comparison with missing answers as wrong and left out; the Youden threshold beside."),
    )
    yield (
        "missing",
        _("A missing answer counts as wrong; every comparison is also given without missing answers."),
    )
    yield "subgroups", _("By sex, age and skin type, not fixed before.")
    result = StudyResult.objects.filter(study=study).exclude(computed_at=None).first()
    if result and study.is_unblinded:
        yield "estimates", _("In the results, each with its interval.")
        yield "crosstab", _("In the results: confusion of readers and model.")
        yield "errors", _("In the results: the photos most missed, with the model's answer.")
        yield "fairness", _("In the results: by sex, age and skin type.")
        yield "variability", _("In the results: each reader, and kappa among readers.")


def _conduct(study: Study) -> Iterator[tuple[str, str]]:
    yield "registration", study.registration
    yield "ethics", study.ethics
    yield "funding", study.funding
    yield "access", study.contact
    if study.protocol_sha256 and study.opened_at:
        yield "protocol", _("Fixed on %(day)s, SHA-256 %(hash)s.") % {
            "day": f"{study.opened_at:%Y-%m-%d}", "hash": study.protocol_sha256,
        }  # fmt: skip
    if study.opened_at:
        end = f"{study.closed_at:%Y-%m-%d}" if study.closed_at else _("open")
        yield "dates", f"{study.opened_at:%Y-%m-%d} – {end}"
    events = list(
        study.events.filter(kind__in=(StudyEvent.Kind.AMENDED, StudyEvent.Kind.UNBLINDED)).order_by("pk")
    )
    amended = [one for one in events if one.kind == StudyEvent.Kind.AMENDED]
    unblinded = [one for one in events if one.kind == StudyEvent.Kind.UNBLINDED]
    if study.opened_at:
        yield (
            "changes",
            ("; ".join(f"{one.at:%Y-%m-%d}: {one.reason}" for one in amended) or _("No amendment.")),
        )
        yield (
            "interim",
            ("; ".join(f"{one.at:%Y-%m-%d}: {one.reason}" for one in unblinded) or _("None before closing.")),
        )
    yield "software", "SkinClinic"
