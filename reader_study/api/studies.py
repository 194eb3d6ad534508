"""Endpoints over studies: making, drawing, opening, readers, closing."""

from django.db.models import Count, Q
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.response import Response

from reader_study.api.designs import DesignSerializer
from reader_study.api.serializers import (
    DrawnSerializer,
    InvitedReaderSerializer,
    NewReaderSerializer,
    ReaderProgressSerializer,
    ReaderSerializer,
    RecipeSerializer,
    StudyDetailSerializer,
    StudySerializer,
)
from reader_study.models import Study
from reader_study.presenters.addresses import reading_address
from reader_study.services.access import Access
from reader_study.services.making import designs, opening, progress, protocol, readers, sampling, studies
from reader_study.services.making.reader_lines import Wanted
from reader_study.services.making.sampling import Recipe
from skinclinic import permissions
from skinclinic.api import strict
from skinclinic.api.base import ReadViewSet
from skinclinic.api.errors import Refused


class StudyViewSet(ReadViewSet):
    """Reader studies. Coordinators and admins make and run them; other members see that they exist."""

    queryset = (
        Study.objects.select_related("clinic", "model_version")
        .prefetch_related("sessions", "groups")
        .annotate(photo_count=Count("images", filter=Q(images__is_practice=False)))
        .order_by("-id")
    )
    serializer_class = StudySerializer
    filterset_fields = ["state", "origin", "name"]
    need = permissions.STUDY

    def get_serializer_class(self):
        return StudySerializer if self.action == "list" else StudyDetailSerializer

    def create(self, request):
        """Make a draft; fields that are not sent get the defaults of the page."""
        serializer = StudyDetailSerializer(data=request.data, context=self.get_serializer_context())
        serializer.is_valid(raise_exception=True)
        study = studies.create_with_settings(
            self.clinic_for_new(), request.user, serializer.settings(), serializer.sessions_wanted(None)
        )
        return Response(self._shown(study), status=status.HTTP_201_CREATED)

    def partial_update(self, request, pk=None):
        """Change a draft; of an open study only what may be amended (texts, ends_on), with a ``reason``."""
        study = self.get_object()
        serializer = StudyDetailSerializer(
            study, data=request.data, partial=True, context=self.get_serializer_context()
        )
        serializer.is_valid(raise_exception=True)
        values = serializer.settings()
        if study.is_open:
            reason = serializer.validated_data.get("reason", "")
            studies.amend(study, request.user, values, reason)
        else:
            studies.change_settings(study, values, sessions=serializer.sessions_wanted(study))
        return Response(self._shown(study))

    @extend_schema(request=RecipeSerializer, responses=DrawnSerializer)
    @action(detail=True, methods=["post"])
    def draw(self, request, pk=None):
        """Draw the sample of a draft anew."""
        study = self.get_object()
        serializer = RecipeSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        values.setdefault("seed", sampling.new_seed())
        study = sampling.draw(study, request.user, Recipe(**values))
        images = study.images.values_list("is_practice", flat=True)
        return Response(
            DrawnSerializer(
                {**study.recipe, "photos": list(images).count(False), "practice": list(images).count(True)}
            ).data
        )

    @extend_schema(responses=DesignSerializer)
    @action(detail=True, methods=["get"])
    def design(self, request, pk=None):
        """Arms, blocks of photos, photos that come twice; for those who run the study, who change a draft's by PUT."""
        return Response(DesignSerializer(designs.of(self._run_by_caller())).data)

    @extend_schema(request=DesignSerializer, responses=DesignSerializer)
    @design.mapping.put
    def choose_design(self, request, pk=None):
        """Set the design of a draft; arms need ``has_aided``. Who gets what is drawn when the study opens."""
        study = self._run_by_caller()
        serializer = DesignSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return Response(DesignSerializer(designs.choose(study, serializer.validated_data)).data)

    @extend_schema(request=None, responses=StudyDetailSerializer)
    @action(detail=True, methods=["post"])
    def open(self, request, pk=None):
        """Fix the protocol and let readers read; ``obstacles`` of the study says what stands in the way."""
        study = self.get_object()
        strict.only(request)
        study = opening.open_study(study, request.user)
        return Response(self._shown(study))

    @extend_schema(request=None, responses=StudyDetailSerializer)
    @action(detail=True, methods=["post"])
    def close(self, request, pk=None):
        """End the reading for good."""
        study = self.get_object()
        strict.only(request)
        study = studies.close(study, request.user)
        return Response(self._shown(study))

    @extend_schema(responses=ReaderProgressSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None, filterset_fields=[])
    def readers(self, request, pk=None):
        """All readers and how far they are; for those who run the study."""
        study = self._run_by_caller()
        return Response(ReaderProgressSerializer(progress.of(study), many=True).data)

    @extend_schema(request=NewReaderSerializer, responses={201: InvitedReaderSerializer})
    @readers.mapping.post
    def invite(self, request, pk=None):
        """Invite a reader; the answer holds the link, which is shown this once."""
        study = self.get_object()
        serializer = NewReaderSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        group = study.groups.filter(key=values["group"]).first()
        if group is None:
            names = ", ".join(study.groups.values_list("key", flat=True))
            said = _("There is no group “%(group)s”; there are: %(names)s.")
            raise Refused(422, "group", said % {"group": values["group"], "names": names})
        wanted = Wanted(
            values["name"], values["email"], group, values["years_of_practice"], values["centre"],
            values["language"],
        )  # fmt: skip
        (made,) = readers.invite(
            study, [wanted], request.user, lambda secret: reading_address(request, secret),
            reason=values["reason"],
        )  # fmt: skip
        answer = ReaderSerializer(made.reader).data | {"link": made.link, "mailed": made.mailed}
        return Response(answer, status=status.HTTP_201_CREATED)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["get"])
    def protocol(self, request, pk=None):
        """What opening fixed, and its SHA-256; before closing for those who run the study, and until it is unblinded
        without what its photos show (``kept_back``)."""
        study = self.get_object()
        may = Access(study, self.member(study.clinic_id))
        may.require_photos()
        if study.protocol is None:
            raise Refused(409, "draft", _("The study has not been opened: nothing is fixed yet."))
        content = protocol.shown(study, with_truth=may.can_see_truth)
        return Response({"sha256": study.protocol_sha256, "protocol": content})

    def _run_by_caller(self) -> Study:
        study = self.get_object()
        permissions.require(self.member(study.clinic_id), permissions.STUDY)
        return study

    def _shown(self, study: Study) -> dict:
        study = self.queryset.all().get(pk=study.pk)
        return StudyDetailSerializer(study, context=self.get_serializer_context()).data
