"""Analyses, assessments and models as JSON."""

from dataclasses import asdict

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from classifier.metrics.listing import listed
from classifier.models import Analysis, Assessment, Explanation, ModelVersion, Publication, ThresholdSet
from classifier.presenters.explanations import failure
from classifier.services.analysis import explanations, suggested_squares, summaries
from classifier.services.analysis.analyses import current_analysis
from classifier.services.analysis.suggested_squares import Suggestion
from classifier.services.similar import neighbours
from skinclinic import permissions
from skinclinic.api import strict
from skinclinic.api.base import ClinicRowSerializer, NoteText, PlainText, kept
from skinclinic.api.ranked import DifferentialSerializer, RankedSerializer
from skinclinic.api.serializers import BoxSerializer, FamiliaritySerializer, PhotoSerializer
from skinclinic.engine import work
from skinclinic.models import Clinic, Job, Photo
from skinclinic.models.diagnosis import DISEASE_CHOICES
from skinclinic.presenters.job_errors import words_of
from skinclinic.services.diagnoses import NOTHING_ELSE
from skinclinic.vocabulary.diseases import DISEASE_KEYS
from skinclinic.vocabulary.ranked import Ranked


class ThresholdSetSerializer(strict.ModelSerializer):
    """A disease is listed when its score is greater than its value; below 0 it is always listed. ``details`` holds what
    the values rest on: ``rule`` is ``youden``, ``sensitivity`` or ``coverage`` of sets made from an evaluation, and
    ``coverage`` then what is promised of new patients, by disease, and of which diseases nothing is."""

    class Meta:
        model = ThresholdSet
        fields = ["id", "model_version", "name", "purpose", "cohort", "values", "details"]


class ModelVersionSerializer(strict.ModelSerializer):
    """``clinic`` is null for models that came with the product."""

    clinic: "serializers.SlugRelatedField[Clinic]" = serializers.SlugRelatedField(
        slug_field="slug", read_only=True
    )
    threshold_sets = serializers.SerializerMethodField()

    class Meta:
        model = ModelVersion
        fields = [
            "id", "clinic", "name", "architecture", "weights_sha256", "manifest", "threshold_sets", "registered_at",
        ]  # fmt: skip

    @extend_schema_field(ThresholdSetSerializer(many=True))
    def get_threshold_sets(self, row: ModelVersion) -> list[dict]:
        """Those that came with the model, and those of the caller's clinics."""
        own = self._clinics()
        sets = [one for one in row.threshold_sets.all() if one.clinic_id is None or one.clinic_id in own]
        return list(ThresholdSetSerializer(sets, many=True).data)

    def _clinics(self) -> set[int]:
        context = kept(self)
        if "clinics" not in context:
            members = permissions.memberships(context["request"].user)
            context["clinics"] = set(members.values_list("clinic", flat=True))
        return context["clinics"]


class CameAgainSerializer(strict.Serializer):
    """``added``: threshold sets that are new; ``kept``: those of the same name that stand here with other values, and
    stay so; ``ignored``: what else the manifest says otherwise, which was not taken over."""

    added = serializers.ListField(child=serializers.CharField())
    kept = serializers.ListField(child=serializers.CharField())
    ignored = serializers.ListField(child=serializers.CharField())


class KnownModelSerializer(ModelVersionSerializer):
    again = CameAgainSerializer(read_only=True)

    class Meta(ModelVersionSerializer.Meta):
        fields = [*ModelVersionSerializer.Meta.fields, "again"]


class PublicationSerializer(ClinicRowSerializer):
    class Meta:
        model = Publication
        fields = ["id", "clinic", "model_version", "published_at", "is_rollback", "reason"]


class ReasonSerializer(strict.Serializer):
    """Why, for whoever looks later."""

    clinic = serializers.SlugField(required=False)
    reason = PlainText(max_length=200, required=False, allow_blank=True, default="")


class NewModelSerializer(strict.Serializer):
    """The files of a model as `train` and the imports write them."""

    weights = serializers.FileField()
    manifest = serializers.FileField()
    training_photos = serializers.FileField(required=False)
    familiarity = serializers.FileField(required=False)
    clinic = serializers.SlugField(required=False)


class AnalysisStateSerializer(strict.Serializer):
    """The analysis of a photo's square, and how far it is."""

    id = serializers.IntegerField()
    url = serializers.URLField()
    state = serializers.ChoiceField(Job.State.choices)


class AnalysedPhotoSerializer(PhotoSerializer):
    """``analysis``: of the square that is chosen now; null while the clinic has no model. ``crop``: that square."""

    crop = serializers.SerializerMethodField()
    analysis = serializers.SerializerMethodField()

    class Meta(PhotoSerializer.Meta):
        fields = [*PhotoSerializer.Meta.fields, "crop", "analysis"]

    def get_crop(self, photo: Photo) -> str:
        return reverse("api-photo-crop", args=[photo.pk], request=self.context.get("request"))

    @extend_schema_field(AnalysisStateSerializer(allow_null=True))
    def get_analysis(self, photo: Photo) -> dict | None:
        known = self.context.get("analyses")
        found = current_analysis(photo) if known is None else known.get(photo.pk)
        if found is None:
            return None
        url = reverse("api-analysis-detail", args=[found.pk], request=self.context.get("request"))
        return {"id": found.pk, "url": url, "state": found.job.state if found.job else Job.State.DONE}


class ListedSerializer(strict.Serializer):
    """A disease whose score is greater than its threshold."""

    disease = serializers.ChoiceField(DISEASE_KEYS)
    score = serializers.FloatField()
    threshold = serializers.FloatField()


class MapsSerializer(strict.Serializer):
    """``maps``: {disease: rows of numbers, 0 to 1}, on the square ``box`` of the photo."""

    height = serializers.IntegerField()
    width = serializers.IntegerField()
    box = BoxSerializer()
    maps = serializers.DictField(
        child=serializers.ListField(child=serializers.ListField(child=serializers.FloatField()))
    )


class AnalysisFilesSerializer(strict.Serializer):
    """Addresses that the same token opens; ``heatmaps`` by disease. All but ``square`` are null until there is an
    answer that you may see."""

    square = serializers.URLField()
    heatmaps = serializers.DictField(child=serializers.URLField(), allow_null=True)
    panels = serializers.URLField(allow_null=True)
    report = serializers.URLField(allow_null=True)


class ChosenSquareSerializer(strict.Serializer):
    """A square in pixels of the stored photo (``x``, ``y``, ``size``), or the number of a suggested one and the name of
    the ``model`` that suggested it: refused where another is in use by now, which suggests other squares."""

    x = serializers.IntegerField(required=False)
    y = serializers.IntegerField(required=False)
    size = serializers.IntegerField(required=False)
    suggested = serializers.IntegerField(
        required=False, min_value=1, max_value=5, help_text="1 is the likeliest."
    )
    model = serializers.CharField(required=False)


class SuggestedSquaresSerializer(strict.Serializer):
    """``state``: ``not_asked``, ``waiting``, ``done`` or ``failed``. ``squares``: at most five, the likeliest first, by
    ``model``."""

    state = serializers.ChoiceField(suggested_squares.STATES)
    model = serializers.SerializerMethodField()
    squares = BoxSerializer(source="boxes", many=True)
    error = serializers.SerializerMethodField()

    def get_model(self, found: Suggestion) -> str | None:
        return found.model.name if found.model else None

    def get_error(self, found: Suggestion) -> dict[str, str] | None:
        if found.state != suggested_squares.FAILED or found.job is None:
            return None
        return {"code": found.job.error_code, "message": words_of(found.job)}


def familiarity(value: float | None) -> dict:
    """What ``FamiliaritySerializer`` shows of an answer's ``unlike``."""
    return {"state": summaries.state_of(value), "distance": value}


class AnalysisSerializer(ClinicRowSerializer):
    """The answer (``scores``, ``background``, ``differential``, ``quality``, ``training_photos``) is null until
    it is there, and while the caller's own impression comes first (then ``impression_first`` is true).
    ``set_aside`` is ``overview``, ``dermoscopic`` or ``unfit`` where the answer does not count; the differential
    then lists nothing. ``before_cover``: part of the square was covered for good afterwards. ``runtime`` and
    ``precision`` (``f32``, ``bf16``, ``f16``) say what computed it, how finely; empty in answers from before
    that was kept. ``suggested_square``: which of the squares that the model suggested the person chose who asked for
    it; null for none."""

    # Each that somebody asked for has a job.
    state = serializers.ChoiceField(
        Job.State.choices, source="job.state", read_only=True, default=Job.State.DONE
    )
    error = serializers.SerializerMethodField()
    box = BoxSerializer(read_only=True)
    model = serializers.CharField(source="model_version.name", read_only=True)
    trained_on = serializers.CharField(source="model_version.manifest.trained_on", read_only=True)
    demo_model = serializers.BooleanField(source="model_version.is_demo", read_only=True)
    impression_first = serializers.SerializerMethodField()
    set_aside = serializers.CharField(read_only=True)
    training_photos = serializers.SerializerMethodField()
    scores = serializers.DictField(
        child=serializers.FloatField(), read_only=True, allow_null=True, help_text="By disease, 0 to 1."
    )
    quality = serializers.DictField(read_only=True, allow_null=True)
    differential = serializers.SerializerMethodField()
    files = serializers.SerializerMethodField()

    class Meta:
        model = Analysis
        fields = [
            "id", "clinic", "photo", "state", "error", "model", "model_version", "trained_on", "demo_model", "box",
            "impression_first", "set_aside", "training_photos", "before_cover", "scores", "background", "differential",
            "quality", "suggested_square", "requested_at", "analysed_at", "runtime", "precision", "files",
        ]  # fmt: skip

    def _hidden(self, row: Analysis) -> bool:
        return row.photo_id in self.context["hidden_photos"]

    def get_impression_first(self, row: Analysis) -> bool:
        return self._hidden(row)

    @extend_schema_field(FamiliaritySerializer(allow_null=True))
    def get_training_photos(self, row: Analysis) -> dict | None:
        """Whether the photo is like those the model was trained on."""
        return None if not row.is_done or self._hidden(row) else familiarity(row.unlike)

    def get_error(self, row: Analysis) -> dict | None:
        if row.job.state != "failed":
            return None
        return {"code": row.job.error_code, "message": words_of(row.job)}

    @extend_schema_field(AnalysisFilesSerializer)
    def get_files(self, row: Analysis) -> dict:
        """Where the files of it are."""
        is_open = row.is_done and not self._hidden(row)
        heatmap = self._file("heatmap", row)
        return {
            "square": self._file("square", row),
            "heatmaps": {key: f"{heatmap}?disease={key}" for key in DISEASE_KEYS} if is_open else None,
            "panels": self._file("panels", row) if is_open else None,
            "report": self._file("report", row) if is_open else None,
        }

    def _file(self, name: str, row: Analysis) -> str:
        return str(reverse(f"api-analysis-{name}", args=[row.pk], request=self.context.get("request")))

    @extend_schema_field(
        serializers.DictField(child=ListedSerializer(many=True), allow_null=True, read_only=True)
    )
    def get_differential(self, row: Analysis) -> dict[str, list] | None:
        """What each threshold set lists, by score."""
        if not row.is_done or self._hidden(row):
            return None
        return {
            chosen.name: [
                {"disease": key, "score": row.scores[key], "threshold": chosen.values[key]}
                for key in listed({key: row.scores[key] for key in DISEASE_KEYS}, chosen.values)
                if not row.set_aside
            ]
            for chosen in row.model_version.thresholds_for(row.clinic_id)
        }

    def to_representation(self, row: Analysis) -> dict:
        shown = super().to_representation(row)
        if row.is_done:  # PostgreSQL keeps no order of keys
            shown["scores"] = {key: row.scores[key] for key in DISEASE_KEYS}
        if self._hidden(row):
            shown |= {"scores": None, "background": None, "quality": None, "set_aside": ""}
        return shown


class RetryFailedSerializer(strict.Serializer):
    """Whose failed analyses: the slug of a clinic, by default the caller's first."""

    clinic = serializers.CharField(required=False)


class RetriedSerializer(strict.Serializer):
    """How many were queued, and how many are failed still."""

    queued = serializers.IntegerField()
    still_failed = serializers.IntegerField()


class ExplanationSerializer(ClinicRowSerializer):
    """Another explanation of an answer. ``layer``: whose feature maps it is made of, empty for the last ones;
    ``height`` and ``width`` of its heatmaps, ``runtime`` and ``precision`` are null or empty until ``state`` is
    ``done``."""

    method_name = serializers.CharField(source="get_method_display", read_only=True)
    progress = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()
    height = serializers.IntegerField(source="map_height", read_only=True, allow_null=True)
    width = serializers.IntegerField(source="map_width", read_only=True, allow_null=True)

    class Meta:
        model = Explanation
        fields = [
            "id", "clinic", "analysis", "method", "method_name", "state", "progress", "error", "layer", "height",
            "width", "runtime", "precision", "asked_at", "finished_at",
        ]  # fmt: skip

    def _job(self, row: Explanation) -> Job | None:
        return work.last([explanations.JOB], row.pk)

    def get_progress(self, row: Explanation) -> float:
        """0 to 1."""
        if row.is_done:
            return 1.0
        job = self._job(row)
        return job.progress if job else 0.0

    def get_error(self, row: Explanation) -> dict[str, str] | None:
        job = None if row.is_done else self._job(row)
        if job is None or job.state != Job.State.FAILED:
            return None
        return {"code": job.error_code, "message": failure(job)}


class AskExplanationSerializer(strict.Serializer):
    """``method``: ``grad_cam_pp`` (Grad-CAM++), ``layer_cam_2x`` and ``layer_cam_4x`` (LayerCAM of earlier stages),
    ``score_cam``."""

    method = serializers.ChoiceField(Explanation.Method.choices)


class NeighbourSerializer(strict.Serializer):
    """A proven photo of the archive. ``label``: one of the 12 by key, or another disease by name; ``likeness``: cosine
    between what the model made of both photos, at most 1; ``reviewed``: a curator has accepted it."""

    entry = serializers.IntegerField(source="entry.pk")
    photo = serializers.IntegerField(source="entry.photo_id")
    label = serializers.CharField(source="entry.label")  # type: ignore[assignment]  # DRF takes it out of the class
    likeness = serializers.FloatField()
    source = serializers.CharField(source="entry.source.name")  # type: ignore[assignment]  # as above
    kind = serializers.CharField(source="entry.photo.kind")
    confirmed_by = serializers.CharField(source="entry.confirmed_by")
    reviewed = serializers.BooleanField(source="is_reviewed")
    is_synthetic = serializers.BooleanField(source="entry.photo.is_synthetic")


class SimilarSerializer(strict.Serializer):
    """``state``: ``found``; ``none_proven``: the archive holds no proven photo; ``no_features``: not evaluable, the
    answer is from before photos could be compared; ``set_aside``: the answer does not count; ``covered``: part of its
    square was covered since. ``compared``: among how
    many proven photos; ``lacking``: how many more the model has not looked at; ``own``: proven photos of the same
    patient or lesion, which are left out."""

    state = serializers.ChoiceField(neighbours.STATES)
    photos = NeighbourSerializer(many=True, source="neighbours")
    compared = serializers.IntegerField()
    lacking = serializers.IntegerField()
    own = serializers.IntegerField()


class AssessmentSerializer(ClinicRowSerializer):
    """``agreement`` says how the diagnosis kept stands to what the model listed when it was decided, and
    ``impression_agreement`` how the first impression does, whatever the decision is called: ``first`` (the model lists
    it first), ``listed`` (not first), ``not_listed``, ``outside`` (none of the 12, while the model lists some),
    ``none_of_12`` (none of the 12, and the model lists none), ``unclear`` (its code or words may mean one of the 12),
    or empty: nothing to compare."""

    user = serializers.CharField(source="user.username", read_only=True)
    ranked = serializers.SerializerMethodField()
    agreement = serializers.CharField(read_only=True)
    impression_agreement = serializers.CharField(read_only=True)

    class Meta:
        model = Assessment
        fields = [
            "id", "clinic", "analysis", "user", "impression", "skipped_impression", "shown_at", "threshold_set",
            "listed", "impression_agreement", "decision", "decided_at", "conclusion", "agreement", "comment",
            "ranked", "earlier_decisions",
        ]  # fmt: skip

    @extend_schema_field(RankedSerializer(many=True))
    def get_ranked(self, row: Assessment) -> list[dict]:
        """The own differential, likeliest first: of the diagnosis kept, else of the impression."""
        said = row.conclusion or row.impression
        if said is None:
            return []
        first = Ranked(said.disease, said.icd10, said.text, said.ranked.confidence)
        return [asdict(one) for one in (first, *said.ranked.others)]


class NamedSerializer(strict.Serializer):
    """A diagnosis: one of the 12 by ``disease``, or another by ``icd10`` and ``text``."""

    disease = serializers.ChoiceField(DISEASE_CHOICES, required=False, default="")
    icd10 = PlainText(max_length=8, required=False, default="")
    text = NoteText(max_length=2000, required=False, default="")
    differential = DifferentialSerializer(required=False)


class ImpressionSerializer(NamedSerializer):
    skip = serializers.BooleanField(default=False)

    def validate(self, values: dict) -> dict:
        if not values["skip"] and not any(values[name] for name in ("disease", "icd10", "text")):
            raise serializers.ValidationError({"disease": [_("Name a diagnosis, or skip.")]})
        first = Ranked(*(values[name] for name in ("disease", "icd10", "text")))
        if any(one.names(first) for one in values.get("differential", NOTHING_ELSE).others):
            message = _("“%(name)s” is named twice. Take one out.") % {"name": first.said}
            raise serializers.ValidationError({"differential": [message]})
        return values


class DecisionSerializer(NamedSerializer):
    """``agree``: the impression is what the model lists first, or neither names one of the 12; ``keep``: the impression
    stands; ``take``: the disease the model lists first; ``change``: the diagnosis named; ``dismiss``: the model is set
    aside. ``differential``: what else it may be; not sent: as the impression says. ``seen``: ``decided_at`` of the
    decision this one replaces, empty for the first. ``thresholds``: those by which diseases are listed, empty for the
    usual ones ("balanced", or the first there are)."""

    decision = serializers.ChoiceField(Assessment.Decision.choices)
    comment = NoteText(max_length=400, required=False, allow_blank=True, default="")
    seen = serializers.CharField(required=False, allow_blank=True, default="")
    thresholds = serializers.CharField(required=False, allow_blank=True, default="")
