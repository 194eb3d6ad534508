"""Readings with their progress for those who run the study; answers and every change of an answer once it is closed
or unblinded (see ``services.access``)."""

import django_filters
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404
from rest_framework import mixins, serializers, viewsets

from reader_study.models import Answer, AnswerChange, Reading
from reader_study.services import access
from skinclinic import permissions
from skinclinic.api import strict
from skinclinic.api.base import in_clinic

# What was said besides the diagnosis, and how.
BESIDES = (
    "management", "quality", "knows_patient", "comment", "timing", "saw_model", "is_from_paper", "device", "viewport",
)  # fmt: skip
# Of each reading by itself: joined, all answers of all readings would be sorted for a list of fifty.
_OF_READING = Answer.objects.filter(reading=OuterRef("pk")).exclude(choice="").order_by().values("reading")
GIVEN = Coalesce(Subquery(_OF_READING.annotate(n=Count("pk")).values("n"), output_field=IntegerField()), 0)


class ReadingSerializer(strict.ModelSerializer):
    """``counts``: no preview, not withdrawn. ``answered`` of ``photos``."""

    study = serializers.IntegerField(source="reader.study_id")
    session = serializers.CharField(source="session.key")
    is_aided = serializers.BooleanField(source="session.is_aided")
    reader = serializers.CharField(source="reader.code")
    group = serializers.SerializerMethodField()
    counts = serializers.SerializerMethodField()
    photos = serializers.SerializerMethodField()
    answered = serializers.IntegerField()
    last_seen_at = serializers.DateTimeField(source="reader.last_seen_at")

    class Meta:
        model = Reading
        fields = [
            "id", "study", "session", "is_aided", "reader", "group", "counts", "photos", "answered",
            "instructions_read_at", "started_at", "finished_at", "last_seen_at",
        ]  # fmt: skip

    def get_group(self, row: Reading) -> str:
        return row.reader.group.key if row.reader.group else ""

    def get_counts(self, row: Reading) -> bool:
        return not row.reader.is_preview and row.reader.withdrawn_at is None

    def get_photos(self, row: Reading) -> int:
        return len(row.order)


class AnswerSerializer(strict.ModelSerializer):
    """A row of the tidy table of answers: who said what of which photo, in words."""

    study = serializers.IntegerField(source="reading.reader.study_id")
    session = serializers.CharField(source="reading.session.key")
    reader = serializers.CharField(source="reading.reader.code")
    group = serializers.SerializerMethodField()
    image = serializers.CharField(source="image.name")
    dataset = serializers.CharField(source="image.dataset")
    answer = serializers.CharField(source="choice")

    class Meta:
        model = Answer
        fields = [
            "id", "study", "reading", "session", "reader", "group", "image", "dataset", "answer", "second",
            "confidence", *BESIDES, "seconds", "first_answer", "first_seconds", "model_shown_at", "number",
            "answered_at", "changed_at", "truth",
        ]  # fmt: skip

    first_answer = serializers.CharField(source="first_choice")
    truth = serializers.CharField(source="image.truth")

    def get_group(self, row: Answer) -> str:
        return row.reading.reader.group.key if row.reading.reader.group else ""


class AnswerChangeSerializer(strict.ModelSerializer):
    """``is_in_force``: false for one that lost to an answer its sender had not seen."""

    study = serializers.IntegerField(source="reading.reader.study_id")
    session = serializers.CharField(source="reading.session.key")
    reader = serializers.CharField(source="reading.reader.code")
    image = serializers.CharField(source="image.name")
    answer = serializers.CharField(source="choice")

    class Meta:
        model = AnswerChange
        fields = [
            "id", "study", "reading", "session", "reader", "image", "key", "number", "answer", "second",
            "confidence", *BESIDES, "seconds", "is_first", "is_undo", "is_in_force", "given_at", "received_at",
        ]  # fmt: skip


def _ids(path: str) -> django_filters.NumberFilter:
    """A filter by an id that every database takes."""
    return django_filters.NumberFilter(field_name=path, min_value=1, max_value=2**63 - 1)


class ReadingFilter(django_filters.FilterSet):
    study = _ids("reader__study")
    session = django_filters.CharFilter(field_name="session__key")
    reader = django_filters.CharFilter(field_name="reader__code")

    class Meta:
        model = Reading
        fields = ["study", "session", "reader"]


class AnswerFilter(django_filters.FilterSet):
    study = _ids("reading__reader__study")
    reading = _ids("reading")
    session = django_filters.CharFilter(field_name="reading__session__key")
    reader = django_filters.CharFilter(field_name="reading__reader__code")
    image = django_filters.CharFilter(field_name="image__name")

    class Meta:
        model = Answer
        fields = ["study", "reading", "session", "reader", "image"]


class AnswerChangeFilter(AnswerFilter):
    class Meta:
        model = AnswerChange
        fields = ["study", "reading", "session", "reader", "image", "is_in_force"]


class _OfStudies(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Rows of a study: outsiders 404, members of its clinic 403 until they may see them."""

    # Where a row names its study.
    study_path = "reading__reader__study"
    studies_for = staticmethod(access.with_answers_for)
    query_parameters = ("clinic",)

    def get_queryset(self):
        rows = super().get_queryset()
        allowed = self.studies_for(self.request.user)
        if slug := self.request.query_params.get("clinic"):
            allowed = in_clinic(allowed, slug)
        return rows.filter(**{f"{self.study_path}__in": allowed})

    def get_object(self):
        try:
            row = super().get_queryset().get(pk=self.kwargs["pk"])
        except (ObjectDoesNotExist, ValueError, OverflowError):
            raise Http404 from None
        study = row
        for name in self.study_path.split("__"):
            study = getattr(study, name)
        self.check(access.Access(study, permissions.member_of(self.request.user, study.clinic_id)))
        return row

    def check(self, may: access.Access) -> None:
        """Raise PermissionDenied for rows that this person may not see."""
        may.require_answers()


class ReadingViewSet(_OfStudies):
    """Readers' ways through the sessions of studies, with their progress."""

    queryset = (
        Reading.objects.select_related("reader__group", "reader__study", "session")
        .annotate(answered=GIVEN)
        .order_by("-id")
    )
    serializer_class = ReadingSerializer
    filterset_class = ReadingFilter
    study_path = "reader__study"
    studies_for = staticmethod(access.with_photos_for)

    def check(self, may: access.Access) -> None:
        may.require_photos()


class AnswerViewSet(_OfStudies):
    """The answers in force, one a reading and photo; an empty ``answer`` was taken back or is not final yet."""

    queryset = Answer.objects.select_related(
        "reading__reader__group", "reading__reader__study", "reading__session", "image"
    ).order_by("-id")
    serializer_class = AnswerSerializer
    filterset_class = AnswerFilter


class AnswerChangeViewSet(_OfStudies):
    """Everything that ever arrived, in the order of arrival, newest first."""

    queryset = AnswerChange.objects.select_related(
        "reading__reader__study", "reading__session", "image"
    ).order_by("-id")
    serializer_class = AnswerChangeSerializer
    filterset_class = AnswerChangeFilter
