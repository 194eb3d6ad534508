"""The words of file names, notes and diagnoses in somebody's own words, as a search finds them."""

import re
import unicodedata

from skinclinic.models import Diagnosis, DiagnosisWord, Note, NoteWord, Photo, PhotoWord
from skinclinic.models.words import LONGEST_WORD
from skinclinic.vocabulary import listed
from skinclinic.vocabulary.matching import fold

MOST_WORDS = 60
# Digits and letters of any script; Hangul comes folded into its letters.
_PART = re.compile(r"[^\W_]+")


def words_of(text: str) -> set[str]:
    """The words of a text as they are stored and looked up: each as it stands between blanks, and its parts.

    "IMG_2041.jpg" is found as a whole and by "img", "2041" or "jpg".
    """
    found: dict[str, None] = {}
    for whole in fold(text).split():
        for word in (whole, *_PART.findall(whole)):
            found[word[:LONGEST_WORD]] = None
    return set(list(found)[:MOST_WORDS])


def _inner(name: str) -> set[str]:
    """What a Korean compound is looked for by as well: what begins at each of its syllables (세포림프종, 림프종)."""
    words = unicodedata.normalize("NFC", name).split()
    ends = (word[at:] for word in words for at in range(1, len(word) - 1) if "가" <= word[at] <= "힣")
    return {fold(end)[:LONGEST_WORD] for end in ends}


def index_photo(photo: Photo) -> None:
    """Let a search find the photo by its file name."""
    words = sorted(words_of(photo.original_name))
    PhotoWord.objects.bulk_create(
        PhotoWord(clinic_id=photo.clinic_id, photo=photo, word=word) for word in words
    )


def index_note(note: Note) -> None:
    """Let a search find the note by its words; one that was taken back by none."""
    words = set() if note.is_taken_back else _all_words(note.text)
    note.words.all().delete()
    NoteWord.objects.bulk_create(
        NoteWord(clinic_id=note.clinic_id, note=note, word=word) for word in sorted(words)
    )


def _all_words(text: str) -> set[str]:
    """Of a long text more words are looked up than of a name."""
    return set().union(*(words_of(word) for word in text.split()))


def index_diagnosis(diagnosis: Diagnosis) -> None:
    """Let a search find the diagnosis by what it says in words; one of the list by all its names, in every language
    and spelling."""
    words = words_of(diagnosis.text)
    if entry := listed.recorded(diagnosis.icd10, diagnosis.text):
        names = (*entry.all_names, *listed.findable_of(entry.key).names)
        words = words.union(*(words_of(name) for name in names), *map(_inner, entry.all_names))
    DiagnosisWord.objects.bulk_create(
        DiagnosisWord(clinic_id=diagnosis.clinic_id, diagnosis=diagnosis, word=word) for word in sorted(words)
    )
