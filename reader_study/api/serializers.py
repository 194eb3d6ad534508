"""Studies, their recipes and readers as JSON."""

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from classifier.models import ModelVersion, ThresholdSet
from classifier.services.models import registry
from reader_study.api.texts import TextsInField
from reader_study.asked import MANAGEMENT
from reader_study.models import Reader, ReaderGroup, Study, StudySession
from reader_study.models.asked import ASKED_FIELDS
from reader_study.services.making import opening, progress, sampling, texts
from reader_study.services.making.reader_lines import LONGEST_CENTRE
from reader_study.services.making.studies import FACTS, LONGEST_WASHOUT, Sessions
from reader_study.statistics.endpoints import ENDPOINTS, chosen
from skinclinic.api import strict
from skinclinic.api.base import ClinicRowSerializer, OwnRowField, PlainText, kept
from skinclinic.forms.fields import one_line
from skinclinic.vocabulary.diseases import DISEASE_KEYS

# Also of what another clinic has.
NO_MODEL = gettext_lazy("There is no such model in this clinic.")
NO_THRESHOLDS = gettext_lazy("There are no such thresholds in this clinic.")
COUNTS = {
    "type": "object",
    "additionalProperties": {"type": "object", "additionalProperties": {"type": "integer"}},
}


class SessionSerializer(strict.ModelSerializer):
    class Meta:
        model = StudySession
        fields = ["number", "key", "is_aided", "washout_days"]


class GroupSerializer(strict.ModelSerializer):
    class Meta:
        model = ReaderGroup
        fields = ["key", "name"]


class PointSerializer(strict.Serializer):
    """What keeps a study from opening: ``where`` is sample, settings, readers or model."""

    code = serializers.CharField()
    where = serializers.CharField()
    text = serializers.CharField()


class StudySerializer(ClinicRowSerializer):
    """``has_aided`` and ``washout_days`` set the sessions. ``reason`` is needed to change an open study. ``…_in``: the
    text in further languages, {language: text}, all of them at once; of an open study's amended text those that are
    not sent with it are dropped."""

    name = PlainText(max_length=120, validators=[one_line])
    description = PlainText(max_length=2000, required=False, allow_blank=True)
    question = PlainText(max_length=300, required=False, validators=[one_line])
    instructions = PlainText(max_length=4000, required=False)
    consent_text = PlainText(max_length=6000, required=False, allow_blank=True)
    question_in = TextsInField(longest=texts.LONGEST["question_in"], validators=[one_line])
    instructions_in = TextsInField(longest=texts.LONGEST["instructions_in"])
    consent_in = TextsInField(longest=texts.LONGEST["consent_in"])
    analysis_plan = PlainText(max_length=4000, required=False, allow_blank=True)
    choices = serializers.MultipleChoiceField(choices=DISEASE_KEYS, required=False)
    endpoints = serializers.MultipleChoiceField(choices=ENDPOINTS, required=False)
    shown_facts = serializers.MultipleChoiceField(choices=FACTS, required=False)
    model_version = OwnRowField(
        queryset=ModelVersion.objects.all(), allow_null=True, required=False,
        error_messages={"does_not_exist": NO_MODEL},
    )  # fmt: skip
    margin = serializers.FloatField(min_value=0.001, max_value=1, allow_null=True, required=False)
    management_choices = serializers.MultipleChoiceField(choices=MANAGEMENT, required=False)
    threshold_set = OwnRowField(
        queryset=ThresholdSet.objects.all(), allow_null=True, required=False,
        error_messages={"does_not_exist": NO_THRESHOLDS},
    )  # fmt: skip
    registration = PlainText(max_length=120, required=False, allow_blank=True, validators=[one_line])
    ethics = PlainText(max_length=300, required=False, allow_blank=True, validators=[one_line])
    funding = PlainText(max_length=400, required=False, allow_blank=True, validators=[one_line])
    contact = PlainText(max_length=200, required=False, allow_blank=True, validators=[one_line])
    has_aided = serializers.BooleanField(write_only=True, required=False)
    washout_days = serializers.IntegerField(
        write_only=True, required=False, min_value=0, max_value=LONGEST_WASHOUT
    )
    reason = PlainText(write_only=True, required=False, max_length=400, allow_blank=True)
    sessions = SessionSerializer(many=True, read_only=True)
    groups = GroupSerializer(many=True, read_only=True)
    photos = serializers.IntegerField(source="photo_count", read_only=True)
    answers = serializers.SerializerMethodField()
    answers_wanted = serializers.SerializerMethodField()

    read_by_view = ("clinic",)

    class Meta:
        model = Study
        fields = [
            "id", "clinic", "name", "description", "state", "origin", "is_synthetic", "question", "instructions",
            "choices", "asks_confidence", "asks_second", "may_go_back", "shown_facts", "model_version",
            "premalignant_as", "margin", "endpoints", "analysis_plan", "ends_on", "threshold_set",
            "operating_point", "registration", "ethics", "funding", "contact", "sessions", "groups", "photos",
            "answers", "answers_wanted", "protocol_sha256", "created_at", "opened_at", "closed_at", "has_aided",
            "washout_days", "reason", "asks_consent", "consent_text", "asks_about_reader", "shows_own_result",
            "practice_feedback", "practice_pass", "practice_tries", "reminds_every", "question_in",
            "instructions_in", "consent_in", *ASKED_FIELDS,
        ]  # fmt: skip
        read_only_fields = [
            "state", "origin", "is_synthetic", "protocol_sha256", "created_at", "opened_at", "closed_at",
        ]  # fmt: skip

    def get_answers(self, study: Study) -> int:
        return self._share(study)[0]

    def get_answers_wanted(self, study: Study) -> int:
        return self._share(study)[1]

    def _share(self, study: Study) -> tuple[int, int]:
        known = kept(self).setdefault("shares", {})
        if study.pk not in known:
            rows = self.parent.instance if self.parent is not None else None
            known |= progress.shares(list(rows or [study]))
        return known[study.pk]

    def validate_model_version(self, version: ModelVersion | None) -> ModelVersion | None:
        if version and not registry.available(self.clinic_of_row()).filter(pk=version.pk).exists():
            raise serializers.ValidationError(NO_MODEL, code="does_not_exist")
        return version

    def validate_threshold_set(self, chosen: ThresholdSet | None) -> ThresholdSet | None:
        clinic = self.clinic_of_row()
        models = registry.available(clinic)
        if chosen and not (chosen.clinic_id in (None, clinic.pk) and chosen.model_version in models):
            raise serializers.ValidationError(NO_THRESHOLDS, code="does_not_exist")
        return chosen

    def validate_choices(self, choices) -> list[str]:
        if len(choices) < 2:
            raise serializers.ValidationError(_("Choose at least two diagnoses."))
        return [key for key in DISEASE_KEYS if key in choices]

    def validate_endpoints(self, keys) -> list[str]:
        return list(chosen(keys))

    def validate_shown_facts(self, facts) -> list[str]:
        return [fact for fact in FACTS if fact in facts]

    def validate_management_choices(self, keys) -> list[str]:
        return [key for key in MANAGEMENT if key in keys]

    def sessions_wanted(self, study: Study | None) -> Sessions | None:
        """The sessions that were sent, or None if they were not."""
        sent = self.validated_data
        if "has_aided" not in sent and "washout_days" not in sent:
            return None
        now = Sessions.of(study) if study else Sessions()
        return Sessions(sent.get("has_aided", now.has_aided), sent.get("washout_days", now.washout_days))

    def settings(self) -> dict:
        """The study's own fields that were sent."""
        return {
            name: value
            for name, value in self.validated_data.items()
            if name not in ("has_aided", "washout_days", "reason")
        }


class StudyDetailSerializer(StudySerializer):
    """One study, with what still keeps it from opening (for those who run it, while it is a draft)."""

    obstacles = serializers.SerializerMethodField()

    class Meta(StudySerializer.Meta):
        fields = [*StudySerializer.Meta.fields, "obstacles"]

    @extend_schema_field(PointSerializer(many=True))
    def get_obstacles(self, study: Study):
        if not study.is_draft or not self.context["view"].member(study.clinic_id).can_run_studies:
            return []
        return PointSerializer(opening.obstacles(study), many=True).data


@extend_schema_field(COUNTS)
class CountsField(serializers.JSONField):
    """{dataset version: {disease key or tier: number of photos}}"""

    def to_internal_value(self, data) -> dict[Any, dict[str, int]]:
        if not isinstance(data, dict) or not all(isinstance(groups, dict) for groups in data.values()):
            raise serializers.ValidationError(_("An object of dataset versions, each an object of counts."))
        found = {}
        for version, groups in data.items():
            if not (version.isascii() and version.isdigit() and len(version) < 19):
                raise serializers.ValidationError(
                    _("“%(version)s” is no dataset version.") % {"version": version[:40]}
                )
            if any(isinstance(n, bool) or not isinstance(n, int) for n in groups.values()):
                raise serializers.ValidationError(_("The numbers of photos are whole numbers."))
            found[int(version)] = dict(groups)
        return found


class RecipeSerializer(strict.Serializer):
    """How a sample is drawn. Without ``seed`` a new one is chosen; the same seed draws the same sample."""

    per = CountsField()
    seed = serializers.IntegerField(required=False, min_value=0, max_value=sampling.LARGEST_SEED)
    practice = serializers.IntegerField(default=0, min_value=0, max_value=sampling.MOST_PRACTICE)
    proven_only = serializers.BooleanField(default=True)
    one_per_patient = serializers.BooleanField(default=True)


class UnfilledSerializer(strict.Serializer):
    """A group of which the archive has fewer photos than were wanted."""

    dataset = serializers.CharField()
    group = serializers.CharField()
    wanted = serializers.IntegerField()
    found = serializers.IntegerField()


class DrawnSerializer(strict.Serializer):
    """What came of a drawing."""

    seed = serializers.IntegerField()
    photos = serializers.IntegerField()
    practice = serializers.IntegerField()
    unfilled = UnfilledSerializer(many=True)
    left_out = serializers.DictField(child=serializers.IntegerField())
    unknown_training = serializers.CharField()


class StageSerializer(strict.Serializer):
    """``seconds``: the median time a photo took. ``begins_at``: the end of a washout that is still running."""

    session = serializers.CharField(source="session.key")
    done = serializers.IntegerField()
    total = serializers.IntegerField()
    seconds = serializers.FloatField(allow_null=True)
    from_paper = serializers.IntegerField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    begins_at = serializers.DateTimeField(allow_null=True)


class ReaderSerializer(strict.ModelSerializer):
    group = serializers.CharField(source="group.key", default="")

    class Meta:
        model = Reader
        fields = [
            "id", "code", "name", "email", "group", "years_of_practice", "centre", "language", "ends_on", "created_at",
            "last_seen_at", "reminded_at", "withdrawn_at",
        ]  # fmt: skip


class ReaderProgressSerializer(strict.Serializer):
    """``sessions``: the reader's own, in the order in which they are read. ``allocated``: what the reader was drawn
    to, in words; empty before opening."""

    reader = ReaderSerializer()
    sessions = StageSerializer(source="stages", many=True)
    allocated = serializers.CharField()


class NewReaderSerializer(strict.Serializer):
    """``group`` is a group's key. ``reason``: needed while the study is open."""

    name = PlainText(max_length=120, validators=[one_line])
    email = serializers.EmailField(max_length=254, required=False, allow_blank=True, default="")
    group = serializers.CharField(max_length=40)
    years_of_practice = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=0, max_value=70
    )
    centre = PlainText(
        required=False, max_length=LONGEST_CENTRE, allow_blank=True, default="", validators=[one_line]
    )
    language = serializers.ChoiceField(
        required=False, allow_blank=True, default="", choices=[code for code, _name in settings.LANGUAGES]
    )
    reason = PlainText(required=False, max_length=400, allow_blank=True, default="")


class InvitedReaderSerializer(ReaderSerializer):
    """``link`` is shown this once."""

    link = serializers.CharField()
    mailed = serializers.BooleanField()

    class Meta(ReaderSerializer.Meta):
        fields = [*ReaderSerializer.Meta.fields, "link", "mailed"]
