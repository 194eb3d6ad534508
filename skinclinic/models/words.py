"""The words a search finds cases by, so that no search reads every text of a clinic."""

from django.db import models

LONGEST_WORD = 40
# A word is looked up by its beginning, which PostgreSQL's own order of letters does not serve.
_BY_LETTERS = ["int8_ops", "varchar_pattern_ops", "int8_ops"]


class Word(models.Model):
    clinic = models.ForeignKey("skinclinic.Clinic", models.CASCADE, related_name="+")
    # Folded as ``services/search_words.py`` folds it.
    word = models.CharField(max_length=LONGEST_WORD)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.word


class PhotoWord(Word):
    """A word of a photo's file name."""

    photo = models.ForeignKey("skinclinic.Photo", models.CASCADE, related_name="words")

    class Meta:
        indexes = [
            models.Index(fields=["clinic", "word", "photo"], name="photo_by_word", opclasses=_BY_LETTERS)
        ]


class NoteWord(Word):
    """A word of a note."""

    note = models.ForeignKey("skinclinic.Note", models.CASCADE, related_name="words")

    class Meta:
        indexes = [
            models.Index(fields=["clinic", "word", "note"], name="note_by_word", opclasses=_BY_LETTERS)
        ]


class DiagnosisWord(Word):
    """A word of what a diagnosis says in somebody's own words."""

    diagnosis = models.ForeignKey("skinclinic.Diagnosis", models.CASCADE, related_name="words")

    class Meta:
        indexes = [
            models.Index(
                fields=["clinic", "word", "diagnosis"], name="diagnosis_by_word", opclasses=_BY_LETTERS
            )
        ]
