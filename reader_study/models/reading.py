from django.db import models

from reader_study.models.asked import GivenBesides


class Reading(models.Model):
    """A reader's way through one session. ``order``: numbers of the sample's photos in this reader's own random
    order, ``practice_order`` those of the practice photos; both are drawn when the reader is enrolled."""

    reader = models.ForeignKey("reader_study.Reader", models.CASCADE, related_name="readings")
    session = models.ForeignKey("reader_study.StudySession", models.CASCADE, related_name="readings")
    order = models.JSONField(default=list)
    practice_order = models.JSONField(default=list)
    place = models.PositiveSmallIntegerField(default=0)
    instructions_read_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["reader", "session"]
        constraints = [
            models.UniqueConstraint(fields=["reader", "session"], name="one_reading_a_reader_and_session")
        ]

    def __str__(self) -> str:
        return f"{self.reader_id}: {self.session_id}"


class GivenAnswer(GivenBesides):
    """What a reader says of a photo: ``choice`` and ``second`` are disease keys ("": none; ``choice`` may also be one
    of ``asked.NO_DIAGNOSIS``), ``confidence`` 0 to 100, ``seconds`` the time the photo was in sight before it was
    confirmed."""

    choice = models.CharField(max_length=16, blank=True)
    second = models.CharField(max_length=16, blank=True)
    confidence = models.PositiveSmallIntegerField(null=True)
    seconds = models.FloatField(null=True)
    # Typed in from a printed study, not given on the screen.
    is_from_paper = models.BooleanField(default=False)

    class Meta:
        abstract = True


class AnswerQuerySet(models.QuerySet):
    def given(self) -> "AnswerQuerySet":
        """Those that answer the photo: not taken back, not waiting for the choice after the model's answer."""
        return self.exclude(choice="")


class Answer(GivenAnswer):
    """The answer in force. In an aided session ``first_choice`` is what was said before the model was shown (at
    ``model_shown_at``); ``number`` counts the changes up to this one."""

    reading = models.ForeignKey(Reading, models.CASCADE, related_name="answers")
    image = models.ForeignKey("reader_study.StudyImage", models.CASCADE, related_name="answers")
    number = models.PositiveIntegerField(default=1)
    first_choice = models.CharField(max_length=16, blank=True)
    first_seconds = models.FloatField(null=True)
    model_shown_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    objects = AnswerQuerySet.as_manager()

    class Meta:
        ordering = ["reading", "id"]
        constraints = [
            models.UniqueConstraint(fields=["reading", "image"], name="one_answer_a_reading_and_image")
        ]

    def __str__(self) -> str:
        return f"{self.reading_id}: {self.image_id}"


class AnswerChange(GivenAnswer):
    """Everything that ever arrived for a photo, in the order of arrival. ``key`` is made by the browser, so that
    the same change sent twice is kept once. ``is_in_force`` is False for one that lost to another tab's answer
    that it had not seen; the reader was shown both. ``undo``: the answer was taken back."""

    reading = models.ForeignKey(Reading, models.CASCADE, related_name="changes")
    image = models.ForeignKey("reader_study.StudyImage", models.CASCADE, related_name="+")
    key = models.UUIDField()
    number = models.PositiveIntegerField()
    is_first = models.BooleanField(default=False)
    is_undo = models.BooleanField(default=False)
    is_in_force = models.BooleanField(default=True)
    # The browser's clock; ours is received_at.
    given_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["reading", "key"], name="one_change_a_key")]
        indexes = [models.Index(fields=["reading", "image", "id"], name="change_by_photo")]

    def __str__(self) -> str:
        return f"{self.reading_id}: {self.image_id} ({self.number})"
