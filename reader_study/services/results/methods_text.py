"""A paragraph of methods with the study's own numbers, which says nothing that was not done."""

from collections import Counter
from collections.abc import Iterator, Mapping

from django.conf import settings
from django.utils import translation

from classifier.plots.figures import percent
from reader_study.models import Study, StudyEvent, StudyImage
from reader_study.plots.study import disease_name
from reader_study.services.results import (
    asked_counts,
    conclusions,
    files_text,
    methods_readers,
    plan_text,
    protocol_text,
    questions_text,
)
from reader_study.services.results.model_seen import doubt
from reader_study.statistics import patterns
from reader_study.statistics.coded import AS_READ
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from skinclinic.web.counts import gettext as _
from skinclinic.web.counts import grouped, ngettext


def paragraphs(study: Study, report: Mapping) -> list[tuple[str, str]]:
    """(language, text) in each language."""
    found = []
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            found.append((language, paragraph(study, report)))
    return found


def paragraph(study: Study, report: Mapping) -> str:
    """The methods in the current language."""
    return " ".join(_sentences(study, report))


def _sentences(study: Study, report: Mapping) -> Iterator[str]:
    if study.is_synthetic:
        yield _("This study is synthetic: lesions were drawn by a program or readers simulated.")
    yield from _photos(study, report)
    yield from _readers(study, report)
    yield from _sessions(study, report)
    yield from _model(study, report)
    yield from _statistics(study, report)
    yield from _conduct(study)


def _photos(study: Study, report: Mapping) -> Iterator[str]:
    by_dataset = ", ".join(
        _("%(name)s (n = %(n)d: %(diseases)s)") % {"name": name, "n": found["n"], "diseases": _counts(found)}
        for name, found in report["datasets"].items()
    )
    yield ngettext(
        "%(n)d photo was used, from %(datasets)s.", "%(n)d photos were used, from %(datasets)s.", report["n"]
    ) % {"n": report["n"], "datasets": by_dataset}
    if study.origin == Study.Origin.REPLAY:
        yield _(
            "Photos, scores and answers were taken from files; how they were collected is not recorded here."
        )
        yield from files_text.sentences(report)
        return
    if study.recipe.get("seed") is not None:
        seed = study.recipe["seed"]
        yield _("They were drawn at random from frozen datasets (seed %(seed)s).") % {"seed": seed}
    yield from protocol_text.about_truth(study)


def _counts(found: Mapping) -> str:
    return ", ".join(
        f"{disease_name(key)} {grouped(one['n_pos'])}"
        for key, one in found["diseases"].items()
        if one["n_pos"]
    )


def _readers(study: Study, report: Mapping) -> Iterator[str]:
    groups = Counter(report["readers"].values())
    names = dict(study.groups.values_list("key", "name"))
    said = ", ".join(f"{names.get(key) or key} {n}" for key, n in groups.items() if key)
    count = len(report["readers"])
    text = ngettext("%(n)d reader took part", "%(n)d readers took part", count) % {"n": count}
    yield f"{text} ({said})." if said else f"{text}."
    withdrawn = study.readers.filter(is_preview=False).exclude(withdrawn_at=None).count()
    if withdrawn:
        yield ngettext(
            "%(n)d reader withdrew and is not counted.",
            "%(n)d readers withdrew and are not counted.",
            withdrawn,
        ) % {"n": withdrawn}
    yield from methods_readers.sentences(study)


def _sessions(study: Study, report: Mapping) -> Iterator[str]:
    if study.question:
        yield _("The question was: “%(question)s”") % {"question": study.question}
    choices = report["settings"]["choices"]
    if len(choices) == len(DISEASE_KEYS):
        yield _("One of the 12 diseases was to be chosen for each photo.")
    else:
        yield _("One of %(n)d diseases was to be chosen for each photo: %(names)s.") % {
            "n": len(choices),
            "names": ", ".join(disease_name(key) for key in choices),
        }
    if study.origin == Study.Origin.RUN:
        yield _("Each reader saw the photos in a random order of their own.")
        facts = {"age": _("age"), "sex": _("sex"), "site": _("anatomic site")}
        shown = ", ".join(facts[fact] for fact in study.shown_facts if fact in facts)
        yield (
            _("Readers were told the patient's %(facts)s.") % {"facts": shown}
            if shown
            else _("Readers were told nothing of the patients.")
        )
        yield from _sessions_run(study, report)
        yield from plan_text.sentences(report)
    else:
        yield from _sessions_replayed(report)
    yield from _asked(study, report.get("about", {}))
    missing = sum(
        reader["missing"]
        for found in report["datasets"].values()
        for read in found["sessions"].values()
        for reader in read["readers"].values()
        if reader["accuracy"] is not None
    )
    if missing:
        yield ngettext(
            "%(n)d missing answer counts as wrong.", "%(n)d missing answers count as wrong.", missing
        ) % {"n": missing}
        yield _("Every comparison is also given without missing answers.")
    if any(one["never_shown"] or one["not_assigned"] for one in report["design"].values()):
        yield _(
            "Readers were shown different photos; each counts with their own, and the model is held against each "
            "reader on the same photos."
        )
        yield _(
            "Comparisons of such a design are U-statistics for readers and cases that are random and any pattern of "
            "who read what (Gallas 2006; degrees of freedom as in iMRMC), and nothing is concluded from them."
        )


def _asked(study: Study, about: Mapping) -> Iterator[str]:
    """What was asked besides the diagnosis, in which time, and how much of it is missing."""
    if study.choices_after:
        yield _("Answers could be chosen after a photo had been in sight for %(n)d s.") % {
            "n": study.choices_after
        }
    if study.time_limit:
        yield _("A photo was over after %(n)d s in sight.") % {"n": study.time_limit}
    counts = about.get("asked", {})
    for session, found in counts.items():
        said = " ".join(asked_counts.sentences(study, found))
        if said and len(counts) > 1:
            said = _("In the session “%(name)s”: %(said)s") % {"name": session, "said": said}
        yield from filter(None, [said])
    if n := about.get("refused", 0):
        yield asked_counts.refused_words(n)


def _sessions_run(study: Study, report: Mapping) -> Iterator[str]:
    for session in study.sessions.all():
        if session.key not in report["sessions"]:
            continue
        if session.is_aided:
            text = _(
                "In the session “%(name)s” the model's answer was shown after the reader's first answer."
            )
        else:
            text = _("The session “%(name)s” was read without the model.")
        yield text % {"name": session.key}
        arms = (report.get("plan") or {}).get("arms")
        if not session.washout_days or arms == "parallel":
            continue
        if arms == "crossover":
            # Whichever came first.
            said = ngettext(
                "At least %(n)d day lay between a reader's two sessions.",
                "At least %(n)d days lay between a reader's two sessions.",
                session.washout_days,
            )
        else:
            said = ngettext(
                "It began at least %(n)d day after the session before.",
                "It began at least %(n)d days after the session before.",
                session.washout_days,
            )
        yield said % {"n": session.washout_days}


def _sessions_replayed(report: Mapping) -> Iterator[str]:
    """Only what the files say."""
    yield _("Sessions are called in the files: %(names)s.") % {"names": ", ".join(report["sessions"])}
    for name in report["sessions"]:
        if any(
            reader["first_answer"]
            for found in report["datasets"].values()
            for reader in found["sessions"][name]["readers"].values()
        ):
            yield _("In the session “%(name)s” a first answer is recorded beside the last one.") % {
                "name": name
            }


def _model(study: Study, report: Mapping) -> Iterator[str]:
    if not report["settings"]["has_model"]:
        yield _("There were no scores of a model.")
        return
    if study.model_version:
        yield _("The model was %(name)s (weights SHA-256 %(hash)s).") % {
            "name": study.model_version.name,
            "hash": study.model_version.weights_sha256[:12],
        }
        yield _(
            "Its first choice is the highest score among the choices; its Youden threshold of each disease was chosen "
            "on the same photos, is therefore optimistic, and is held fixed when cases are left out."
        )
        yield from protocol_text.about_thresholds(study)
        yield doubt(study, report.get("about", {})) or _("It had seen none of these photos in training.")
    else:
        yield _(
            "The model whose scores were in the files decides by the Youden threshold of each disease, chosen on the "
            "same photos and therefore optimistic, and held fixed when cases are left out; its first choice is the "
            "highest score among the choices."
        )
    if report["settings"]["has_whole"]:
        yield _(
            "Its curve on the whole test set from which the photos were drawn is shown beside that on the sample."
        )


def _statistics(study: Study, report: Mapping) -> Iterator[str]:
    yield _(
        # xgettext:no-python-format
        "Sensitivity and specificity of each reader are given with Wilson's 95 % intervals; averages are unweighted "
        "means over readers with intervals for random readers and random cases (Obuchowski and Rockette, jackknife)."
    )
    settings = report["settings"]
    if settings["has_model"]:
        yield _(
            "Areas under the model's ROC curve have DeLong's intervals. The model's balanced accuracy was compared "
            "with the readers' mean by the single-treatment analysis for random readers and cases."
        )
        if doubt(study, report.get("about", {})):
            yield _("Differences are given with their intervals and were not tested.")
        if settings["margin"] is not None:
            text = _("The non-inferiority margin was %(margin)s.")
            if study.origin == Study.Origin.REPLAY:
                text = _(
                    "The non-inferiority margin of %(margin)s was set when the answers were already known."
                )
            yield text % {"margin": f"{settings['margin']:g}"}
        yield protocol_text.about_operating_point(study)
        if settings["primary"]:
            names = ", ".join(map(questions_text.endpoint_name, settings["primary"]))
            yield _("Primary endpoints: %(names)s, adjusted by Holm's method; all others are secondary.") % {
                "names": names
            }
            yield conclusions.rules_text()
        policy = (
            _("Actinic keratosis counts as benign where two groups are needed.")
            if settings["ak"] == "benign"
            else _("Actinic keratosis counts as malignant where two groups are needed.")
        )
        yield policy
    yield from questions_text.sentences(report)
    yield from _analyses(report)
    if any(
        read["fleiss_kappa"] is not None
        for found in report["datasets"].values()
        for read in found["sessions"].values()
    ):
        yield _(
            "Agreement is given as Cohen's kappa with the truth and Fleiss's kappa among readers, both on what was "
            "answered, and as Krippendorff's alpha, which takes incomplete answers too; the intervals of the latter "
            "two are percentiles of a bootstrap of the photos."
        )


def _analyses(report: Mapping) -> Iterator[str]:
    """By which analyses sessions were compared (by both where only some pairs are crossed), and the model where
    answers are missing. A sample that was split says its own."""
    asked = [found["questions"]["accuracy"] for found in report["datasets"].values()]
    pairs = [test["all"]["accuracy"] for one in asked for test in one["compare"].values()]
    of_diseases = [
        test
        for found in report["datasets"].values()
        for tests in found["compare"].values()
        for of_disease in tests.values()
        for test in of_disease.values()
    ]
    used = {test["method"] for test in [*pairs, *of_diseases]}
    if len(report["sessions"]) > 1 and (not used or patterns.OBUCHOWSKI_ROCKETTE in used):
        yield _("Sessions were compared by the Obuchowski-Rockette analysis for random readers and cases.")
    if any(one["never_shown"] or one["not_assigned"] for one in report["design"].values()):
        return
    if patterns.U_STATISTICS in used:
        yield _(
            "Sessions that were not read by the same readers with the same photos were compared by U-statistics for "
            "random readers and cases (Gallas)."
        )
    every = [*pairs, *(test["all"]["accuracy"] for one in asked for test in one["ai_vs_readers"].values())]
    if any(
        test["method"] == patterns.OBUCHOWSKI_ROCKETTE and test[AS_READ]["method"] == patterns.U_STATISTICS
        for test in every
    ):
        yield _(
            "Where more than %(share)s of the answers are missing, comparisons without them are U-statistics (Gallas "
            "2006)."
        ) % {"share": percent(report["settings"]["most_missing"])}


def _conduct(study: Study) -> Iterator[str]:
    if study.origin == Study.Origin.RUN and study.protocol_sha256 and study.opened_at:
        yield _("The protocol was fixed on %(day)s, before the first answer (SHA-256 %(hash)s).") % {
            "day": f"{study.opened_at:%Y-%m-%d}",
            "hash": study.protocol_sha256[:12],
        }
    amendments = study.events.filter(kind=StudyEvent.Kind.AMENDED).count()
    if amendments:
        yield ngettext(
            "It was amended %(n)d time afterwards.", "It was amended %(n)d times afterwards.", amendments
        ) % {"n": amendments}
    images = study.images.filter(is_practice=False)
    erased = images.filter(patient__startswith=StudyImage.WITHDRAWN)
    if n := erased.count():
        counted = erased.filter(taken_out_at=None).count()
        yield ngettext(
            "%(n)d photo was withdrawn when its patient was erased; of these %(counted)d still counts with its "
            "answers.",
            "%(n)d photos were withdrawn when their patients were erased; of these %(counted)d still count with their "
            "answers.",
            n,
        ) % {"n": n, "counted": counted}
    if gone := images.exclude(pk__in=erased.values("pk")).exclude(taken_out_at=None).count():
        yield ngettext(
            "%(n)d photo was taken out while the study was open, as its patient withdrew the consent, and does not "
            "count.",
            "%(n)d photos were taken out while the study was open, as their patients withdrew the consent, and do not "
            "count.",
            gone,
        ) % {"n": gone}
    unblinded = study.events.filter(kind=StudyEvent.Kind.UNBLINDED).order_by("at").first()
    if unblinded:
        yield _("Results were looked at on %(day)s, before the study was closed.") % {
            "day": f"{unblinded.at:%Y-%m-%d}"
        }
    yield from protocol_text.about_conduct(study)
    yield _("Computed with SkinClinic.")
