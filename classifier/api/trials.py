"""Endpoints of the try page: a photo without a record, forgotten within the hour."""

import numpy as np
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from classifier.api.serializers import familiarity
from classifier.metrics.counting import CLOSE_UP, set_aside
from classifier.presenters.maps import maps_json
from classifier.presenters.trials import clinic_of, find, start
from classifier.services.analysis import trials
from classifier.services.analysis.analyses import NoModel
from skinclinic import imaging, permissions
from skinclinic.api import strict
from skinclinic.api.errors import Refused
from skinclinic.api.parsers import FormParser, MultiPartParser
from skinclinic.api.permissions import KnownParameters
from skinclinic.files import store
from skinclinic.presenters.answers import refusal_words
from skinclinic.vocabulary.diseases import DISEASE_KEYS


class NewTrialSerializer(strict.Serializer):
    """A photo to try, which is not kept."""

    file = serializers.FileField()


class TryView(APIView):
    """Open to members; to anyone where a clinic has opened its try page."""

    permission_classes = [AllowAny, KnownParameters]
    parser_classes = [MultiPartParser, FormParser]

    @extend_schema(request={"multipart/form-data": NewTrialSerializer}, responses=OpenApiTypes.OBJECT)
    def post(self, request):
        """Send a photo. 202 with the address of its result."""
        sent = NewTrialSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        member = None
        if request.user.is_authenticated:
            member = permissions.memberships(request.user).select_related("clinic").first()
        request.membership = member
        clinic = clinic_of(request._request) if member is None else member.clinic
        if clinic is None:
            self.permission_denied(request)
        try:
            trial = start(request, clinic, sent.validated_data["file"].read())
        except NoModel:
            raise Refused(503, "no_model", _("There is no model yet. Please come back later.")) from None
        except store.StorageFull:
            raise Refused(507, "storage_full", _("The server's disk is full. Nothing was stored.")) from None
        except imaging.PhotoRejected as refused:
            code = 413 if refused.code == "too_large" else 400
            raise Refused(code, refused.code, refusal_words(refused)) from None
        url = reverse("api-try-result", args=[trial.token], request=request)
        return Response({"token": trial.token, "url": url}, status=status.HTTP_202_ACCEPTED)


class TryResultView(APIView):
    """Whoever has the unguessable address may read the result until its hour is over, or delete it."""

    permission_classes = [AllowAny, KnownParameters]

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request, token: str):
        """State, what was changed in the photo and, once there, scores, background, photo quality, heatmaps, whether
        the photo is like the model's training photos, and the runtime and precision they were computed with."""
        trial = find(token)
        body = {
            "state": trial.state,
            "model": trial.model_version.name,
            "trained_on": trial.model_version.manifest.get("trained_on", ""),
            "notes": trial.notes,
        }
        if trial.result:
            scores = trial.result["scores"]
            body["scores"] = {key: scores[key] for key in DISEASE_KEYS}  # PostgreSQL keeps no order of keys
            body |= {name: trial.result[name] for name in ("background", "quality")}
            body |= {name: trial.result.get(name, "") for name in ("runtime", "precision")}
            body["training_photos"] = familiarity(trial.result.get("unlike"))
            body["set_aside"] = set_aside(CLOSE_UP, trial.result["quality"])
            body |= maps_json(np.asarray(trial.result["maps"]), trial.box)
        return Response(body)

    @extend_schema(responses={204: None})
    def delete(self, request, token: str):
        """Forget it now."""
        strict.only(request)
        trials.delete(find(token))
        return Response(status=status.HTTP_204_NO_CONTENT)
