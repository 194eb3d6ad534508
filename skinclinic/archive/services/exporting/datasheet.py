"""A version's datasheet: what Gebru et al. (2021, doi:10.1145/3458723) ask of a dataset, answered by what is counted
and what people have written down. What nobody has is not stated: no answer is made up.

``schema`` names the form of the file, which ``docs/datasets.md`` describes; it changes when the form does.
"""

from collections.abc import Iterator
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import override

from skinclinic.archive import labels
from skinclinic.archive.models import DatasetVersion
from skinclinic.archive.services.datasets import against, freezing, summary
from skinclinic.services.patient_codes import leads_to_person
from skinclinic.services.refused import Refused
from skinclinic.vocabulary import skin_types

FILE = "datasheet.json"
SCHEMA = "skinclinic-datasheet/1"
# The file is for programs and in English. Of the questions of Gebru et al. these are answered here.
SECTIONS = {
    "motivation": "Motivation",
    "composition": "Composition",
    "collection": "Collection process",
    "preprocessing": "Preprocessing, cleaning, labelling",
    "uses": "Uses",
    "distribution": "Distribution",
    "maintenance": "Maintenance",
}
QUESTIONS = {
    "motivation.purpose": "For what purpose was the dataset made?",
    "motivation.funding": "Who funded it?",
    "composition.instances": "What does it hold, and how much of it?",
    "composition.selection": "Is it a sample, and how was it chosen?",
    "composition.labels": "Which labels are there, and how many photos have each?",
    "composition.proof": "How were the labels confirmed?",
    "composition.missing": "What is not known of how many photos?",
    "composition.relations": "Which photos belong together?",
    "composition.splits": "How is it divided?",
    "composition.groups": "Which groups of people are in it?",
    "composition.identity": "Can people be identified?",
    "collection.how": "With which devices was it taken?",
    "collection.population": "Of whom?",
    "collection.when": "When?",
    "collection.ethics": "Which ethics committee has approved it?",
    "collection.consent": "On which consent does it rest?",
    "preprocessing.pictures": "What was done to the photos?",
    "preprocessing.labelling": "How many photos carry tags, and which?",
    "uses.meant": "What is it meant for?",
    "uses.not_for": "What should it not be used for?",
    "distribution.licence": "Under which licences?",
    "distribution.sources": "Where do the photos come from?",
    "distribution.fingerprint": "How is this very version recognised?",
    "maintenance.versions": "Which versions are there?",
    "maintenance.changes": "What changed in this one?",
    "maintenance.withdrawn": "How many photos were withdrawn since?",
    "maintenance.contact": "Whom can one ask?",
}
_OF_SOURCES = {
    "collection.how": "devices",
    "collection.population": "population",
    "collection.when": "period",
    "collection.ethics": "ethics_approval",
    "collection.consent": "consent_basis",
    "distribution.licence": "licence",
    "distribution.sources": "citation",
}
# Words, and keys of rows that mean nothing elsewhere.
_NOT_TOLD = {"q": "words", "source": "source", "dataset": "another dataset", "reviewer": "reviewer"}
_IDENTITY = (
    "Patients and lesions are pseudonyms; no code, no date and no file name is exported. A photo may still show what "
    "a person is recognised by."
)
_PICTURES = (
    "Stored as JPEG without anything beside the picture; areas that were covered are covered for good."
)


def of(version: DatasetVersion) -> dict[str, Any]:
    """The datasheet in English: {schema, dataset, version, state, sha256, sections: [{key, title, questions: [{key,
    question, is_stated, answer, facts}]}]}. ``answer`` is text or null, ``facts`` what is counted or null."""
    with override("en"):
        answers = _answers(version)
        return {
            "schema": SCHEMA,
            "dataset": version.dataset.name,
            "version": version.number,
            "state": version.state,
            "sha256": version.sha256 or None,
            "sections": [
                {"key": key, "title": title, "questions": list(_questions(key, answers))}
                for key, title in SECTIONS.items()
            ],
        }


def _questions(section: str, answers: dict[str, tuple[str | None, Any]]) -> Iterator[dict[str, Any]]:
    for key, words in QUESTIONS.items():
        if key.startswith(f"{section}."):
            answer, facts = answers.get(key, (None, None))
            yield {
                "key": key.partition(".")[2],
                "question": words,
                "is_stated": bool(answer) or bool(facts),
                "answer": answer or None,
                "facts": facts or None,
            }


def _answers(version: DatasetVersion) -> dict[str, tuple[str | None, Any]]:
    found = summary.of(version)
    sources = version.provenance if version.is_frozen else freezing.provenance(version)
    items = version.items.order_by()
    named = {key: n for key, n in items.values_list("confirmed_by").annotate(n=Count("id"))}
    not_said = named.pop("", 0)
    relations = items.aggregate(
        patients=Count("person", distinct=True), lesions=Count("lesion", distinct=True)
    )
    lesions = relations["lesions"] - int(items.filter(lesion="").exists())
    several = items.exclude(lesion="").values("lesion").annotate(n=Count("id")).filter(n__gt=1).count()
    tags = {tag: n for _n, of_tag in found.tags.values() for tag, n in of_tag.items()}
    answers: dict[str, tuple[str | None, Any]] = {
        "motivation.purpose": (fit(version.dataset.description, _("the description of the dataset")), None),
        "composition.instances": (
            None,
            {
                "photos": found.all.images,
                "patients": found.all.patients,
                "photos_of_unknown_patient": found.all.unknown_patient,
                "lesions": lesions,
                "proven_photos": found.proven.images,
                "drawings": items.filter(is_synthetic=True).count(),
                "kinds": _counts(items, "kind"),
            },
        ),
        "composition.selection": (None, _chosen_by(version)),
        "composition.labels": (
            None,
            [
                {"label": key, "name": str(labels.name(key)), "photos": n, "proven": proven}
                for key, (n, proven) in (found.classes | found.others).items()
                if n
            ],
        ),
        "composition.proof": (None, {**named, "not_stated": not_said}),
        "composition.missing": (
            None,
            {
                "patient": found.all.unknown_patient,
                "age": found.all.age_unknown,
                "age_as_range": found.all.age_range,
                "sex": found.all.sex_unknown,
                "skin_type": found.skin_type.get(None, 0),
                "ethnicity": found.ethnicity.get("", 0),
                "site": items.filter(site="").count(),
                "date": items.filter(taken_on=None).count(),
            },
        ),
        "composition.relations": (None, {"lesions_with_several_photos": several}),
        "composition.splits": (None, _split(version, found)),
        "composition.groups": (
            None,
            {
                "age_mean": _rounded(found.all.age_mean),
                "age_sd": _rounded(found.all.age_sd),
                "male_percent_of_known": _rounded(found.all.male_percent),
                "ethnicity": {key: n for key, n in found.ethnicity.items() if key},
                "skin_type": {skin_types.name(key): n for key, n in found.skin_type.items() if key},
            },
        ),
        "composition.identity": (_IDENTITY, None),
        "preprocessing.pictures": (_PICTURES, None),
        "preprocessing.labelling": (None, tags),
        "uses.meant": (str(version.dataset.get_role_display()), {"role": version.dataset.role}),
        "distribution.fingerprint": (None, {"sha256": version.sha256} if version.sha256 else None),
        "maintenance.versions": (None, _versions(version)),
        "maintenance.changes": (fit(version.note, _("the note on what changed")), None),
        "maintenance.withdrawn": (
            None,
            {"photos": against.rows(version, against.WITHDRAWN).count()} if version.is_frozen else None,
        ),
    }
    return answers | {key: (_of_sources(sources, name), None) for key, name in _OF_SOURCES.items()}


def fit(text: str, what: str) -> str:
    """The text, if nothing in it leads to a person. Raises Refused, naming ``what`` it is."""
    if leads_to_person(text):
        message = _("%(what)s holds an address or a number that may lead to a person. Correct that first.")
        raise Refused("", message % {"what": what})
    return text


def _chosen_by(version: DatasetVersion) -> dict[str, Any]:
    """By which filters the photos were chosen. Words that were searched for may name a patient, and a reviewer is a
    person: that there were such is said, and no more."""
    query = {name: value for name, value in version.query.items() if value}
    told = [words for name, words in _NOT_TOLD.items() if query.pop(name, "")]
    return query | ({"also_by": told} if told else {})


def _split(version: DatasetVersion, found: summary.Summary) -> dict[str, Any] | None:
    if not version.split:
        return None
    sides = {side: n for side, n in found.split.items() if side}
    named = {name: version.split[name] for name in ("method", "share", "seed") if name in version.split}
    return named | {"photos": sides}


def _versions(version: DatasetVersion) -> list[dict[str, Any]]:
    rows = DatasetVersion.objects.filter(dataset=version.dataset_id).order_by("number")
    return [
        {"number": row.number, "state": row.state, "sha256": row.sha256 or None, "changed": row.note or None}
        for row in rows
    ]


def _of_sources(sources: list[dict], name: str) -> str | None:
    """What the sources say, each after its name; nothing where none of them does."""
    said = [f"{source['name']}: {source.get(name) or 'not stated'}" for source in sources]
    return "; ".join(said) if any(source.get(name) for source in sources) else None


def _counts(items, name: str) -> dict[str, int]:
    return {key or "not_stated": n for key, n in items.values_list(name).annotate(n=Count("id"))}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
