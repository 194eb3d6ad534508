"""What a text in the worklist's search box finds: everything a row shows, and more.

Words that belong together ("basal cell carcinoma", "upper arm", "2024. 3. 9.") are one term; a case must answer to
every term, each in any of its meanings: patient code, age or sex, file name, site, disease, ICD-10, a diagnosis in own
words, a note, tag (tag:NAME means nothing else), who opened it or sees to it, state, year, month or day. So "2026-11"
finds cases of that month and patients whose code begins so.
"""

from datetime import date, datetime, time
from functools import cache, reduce
from operator import or_

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import override

from skinclinic.models import (
    Clinic,
    Diagnosis,
    DiagnosisWord,
    FormerCode,
    Lesion,
    Member,
    Note,
    NoteWord,
    Patient,
    PhotoDecision,
    PhotoWord,
    User,
)
from skinclinic.models.words import LONGEST_WORD
from skinclinic.services import worklist_tags
from skinclinic.services.search_words import words_of
from skinclinic.vocabulary import sites, terms
from skinclinic.vocabulary.days import span
from skinclinic.vocabulary.diseases import BY_KEY
from skinclinic.vocabulary.matching import fold, plain

# Up to so many rows are named one by one, by their keys, which an index serves; more are looked for along the order of
# the list, where the next match is never far.
FEW = 200
MOST_TERMS, LONGEST_TERM = 8, 6
OLDEST = 120
_CHOICES = {"site": sites.SITES, "state": Lesion.State.choices, "sex": Patient.Sex.choices}
# After every character that a word may hold.
_LAST = "\U0010ffff"


def condition(clinic: Clinic, user: User, text: str, *, answers_open: bool) -> Q:
    """Return which lesions of the clinic the text finds.

    ``answers_open``: also by what the model and colleagues said.
    """
    found, wanted = Q(), split(clinic, text)
    codes = _by_code(clinic, wanted)
    for term in wanted:
        one = codes[term] | _one(clinic, user, term, answers_open=answers_open)
        found &= one or Q(pk__in=())
    return found


def split(clinic: Clinic, text: str) -> list[str]:
    """The terms of a text: the longest runs of words that name one thing, else single words."""
    words = text.split()
    found: list[str] = []
    if len(words) > 1 and any(
        known.objects.filter(clinic=clinic, code__istartswith=text).exists()
        for known in (Patient, FormerCode)
    ):
        return [text]
    while words and len(found) < MOST_TERMS:
        longest = min(len(words), LONGEST_TERM)
        runs = (" ".join(words[:length]) for length in range(longest, 1, -1))
        run = next((run for run in runs if _is_one_thing(run)), words[0])
        found.append(run)
        words = words[len(run.split()) :]
    return found


def disease_keys(text: str) -> list[str]:
    """The diseases a text names; one Latin letter names none."""
    if len(fold(text).strip()) < 2:
        return []
    return [term.value for term in terms.find(text, "en")]


def start_of(day: date) -> datetime:
    """Its first moment in local time."""
    return timezone.make_aware(datetime.combine(day, time()))


def _is_one_thing(run: str) -> bool:
    return bool(disease_keys(run) or span(run) or _named(run, "site"))


def _one(clinic: Clinic, user: User, term: str, *, answers_open: bool) -> Q:
    """The cases that answer to one term, but for patient codes. Meanings that nothing has are left out, so that the
    rest stays quick."""
    if term.casefold().startswith(worklist_tags.PREFIX):
        return having(worklist_tags.tagged_by(clinic, term.casefold()), "lesion")
    found = _of_patients(clinic, term) | _of_files(clinic, term)
    found |= having(worklist_tags.tagged_by(clinic, term), "lesion")
    found |= _of_people(clinic, term, answers_open=answers_open)
    seen = Q(kind=Diagnosis.Kind.PATHOLOGY) | Q(created_by=user)
    diagnoses = Diagnosis.objects.filter(clinic=clinic, withdrawn_at=None).filter(
        Q() if answers_open else seen
    )
    found |= _of_own_words(clinic, diagnoses, term)
    found |= _of_notes(clinic, user, term, answers_open=answers_open)
    if keys := disease_keys(term):
        found |= Q(proven_disease__in=keys) | (Q(top_disease__in=keys) if answers_open else Q())
        codes = {BY_KEY[key].icd10 for key in keys}
        found |= having(diagnoses.filter(icd10__in=codes, disease__in=keys), "lesion")
    if code := terms.icd10_code(term):
        found |= having(diagnoses.filter(disease="", icd10__startswith=code), "lesion")
    if keys := _named(term, "site"):
        found |= Q(site__in=sorted({part for key in keys for part in sites.within(key)}))
    if keys := _named(term, "state"):
        found |= Q(state__in=keys)
    if days := span(term):
        found |= Q(created_at__gte=start_of(days[0]), created_at__lt=start_of(days[1]))
    return found


def having(rows: QuerySet, path: str) -> Q:
    """Lesions that ``rows`` belong to by ``path``."""
    # Several rows may be of one lesion: it is the rows that have to be all.
    found = list(rows.order_by().values_list(path, flat=True)[: FEW + 1])
    if len(found) > FEW:
        return Q(Exists(rows.order_by().filter(**{path: OuterRef("pk")})))
    return Q(pk__in=set(found)) if found else Q()


def _by_code(clinic: Clinic, wanted: list[str]) -> dict[str, Q]:
    """For each term the lesions of patients whose code begins with it: the codes are gone through once for all."""
    patients = Patient.objects.filter(clinic=clinic, is_archived=False).order_by()
    begins = [Q(code__istartswith=term) for term in wanted]
    found = patients.filter(reduce(or_, begins, Q(pk__in=()))).values_list("pk", "code")[: FEW + 1]
    if len(found) > FEW:
        pairs = zip(wanted, begins, strict=True)
        return {
            term: _of_these(patients.filter(begin), Q(patient__code__istartswith=term))
            for term, begin in pairs
        }
    merged = FormerCode.objects.filter(reduce(or_, begins, Q(pk__in=())), clinic=clinic).order_by()
    known = [*found, *merged.values_list("patient", "code")[: FEW + 1]]
    keys = {
        term: [pk for pk, code in known if code.casefold().startswith(term.casefold())] for term in wanted
    }
    return {term: Q(patient__in=ids) if ids else Q() for term, ids in keys.items()}


def _of_patients(clinic: Clinic, term: str) -> Q:
    """Lesions of patients of that age or sex."""
    patients, found = Patient.objects.filter(clinic=clinic, is_archived=False), Q()
    if term.isascii() and term.isdigit() and len(term) < 4 and int(term) <= OLDEST:
        year = timezone.localdate().year - int(term)
        found |= _of_these(patients.filter(birth_year=year), Q(patient__birth_year=year))
    if sexes := _named(term, "sex", whole=True):
        found |= Q(patient__sex__in=sexes)
    return found


def _of_these(patients: QuerySet[Patient], many: Q) -> Q:
    """Lesions of these patients; ``many`` says the same of a lesion."""
    ids = list(patients.order_by().values_list("pk", flat=True)[: FEW + 1])
    if len(ids) > FEW:
        return many
    return Q(patient__in=ids) if ids else Q()


def _of_files(clinic: Clinic, term: str) -> Q:
    """Lesions with a photo whose file name has all words of the term."""
    found = Q()
    for word in term.split():
        one = having(_beginning(PhotoWord.objects.filter(clinic=clinic), word), "photo__lesion")
        if not one:
            return Q()
        found &= one
    return found


def _of_own_words(clinic: Clinic, diagnoses: QuerySet[Diagnosis], term: str) -> Q:
    """Lesions with a diagnosis that has all words of the term in what it says."""
    for word in term.split():
        words = _beginning(DiagnosisWord.objects.filter(clinic=clinic), word)
        diagnoses = diagnoses.filter(pk__in=words.order_by().values("diagnosis"))
    return having(diagnoses, "lesion") if words_of(term) else Q()


def _of_notes(clinic: Clinic, user: User, term: str, *, answers_open: bool) -> Q:
    """Lesions with a note, their own or their patient's, that has all words of the term; colleagues' notes on a lesion
    may name what it is, and find it where the answers are open only."""
    if not words_of(term):
        return Q()
    own = Q() if answers_open else Q(created_by=user) | Q(lesion=None)
    notes = Note.objects.filter(own, clinic=clinic, is_taken_back=False)
    for word in term.split():
        words = _beginning(NoteWord.objects.filter(clinic=clinic), word)
        notes = notes.filter(pk__in=words.order_by().values("note"))
    found = having(notes.exclude(lesion=None), "lesion")
    return found | having(notes.exclude(patient=None), "patient__lesions")


def _beginning(rows: QuerySet, word: str) -> QuerySet:
    """Those whose word begins so, by their index: PostgreSQL's knows beginnings, SQLite's knows ranges."""
    folded = fold(word)[:LONGEST_WORD]
    if connection.vendor == "sqlite":
        return rows.filter(word__gte=folded, word__lt=folded + _LAST)
    return rows.filter(word__startswith=folded)


def _of_people(clinic: Clinic, term: str, *, answers_open: bool) -> Q:
    """Lesions that somebody of that name opened, sees to or has decided."""
    wanted = words_of(term)
    ids = [
        member.user_id
        for member in Member.objects.filter(clinic=clinic).select_related("user")
        if all(
            any(name.startswith(word) for name in words_of(f"{member.user} {member.user.username}"))
            for word in wanted
        )
    ]
    if not (ids and wanted):
        return Q()
    found = Q(created_by__in=ids) | Q(assignee__in=ids)
    if answers_open:
        found |= having(PhotoDecision.objects.filter(clinic=clinic, user__in=ids), "photo__lesion")
    return found


@cache
def _names(kind: str) -> tuple[tuple[str, str], ...]:
    """The keys of sites, states or sexes with their names in every language of the product, as they are
    compared."""
    found = []
    for language, _title in settings.LANGUAGES:
        with override(language):
            found += [(key, plain(str(name))) for key, name in _CHOICES[kind] if key]
    return tuple(found)


def _named(text: str, kind: str, *, whole: bool = False) -> list[str]:
    """The keys of those whose name the text is, or begins, in any language of the product."""
    wanted = plain(text)
    may_begin = not whole and len(wanted) > 2
    found = [key for key, said in _names(kind) if said == wanted or (may_begin and said.startswith(wanted))]
    return list(dict.fromkeys(found)) if len(wanted) > 1 else []
