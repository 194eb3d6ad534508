"""What the API does to the picture of a photo: covers, and further lesions in it."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.response import Response

from classifier.api.serializers import AnalysedPhotoSerializer
from classifier.services.analysis.analyses import current_analyses
from classifier.services.analysis.intake import add_lesion
from skinclinic import imaging, permissions
from skinclinic.api import strict
from skinclinic.api.base import kept
from skinclinic.api.errors import Refused
from skinclinic.api.records import PhotoViewSet as PlainPhotoViewSet
from skinclinic.api.serializers import BoxSerializer
from skinclinic.files import store
from skinclinic.models import Photo
from skinclinic.presenters.answers import photo_not_stored, refusal_words
from skinclinic.services import covering, refused
from skinclinic.services.covering import ChangedMeanwhile


class AreaSerializer(strict.Serializer):
    """An area in pixels of the stored photo; an ellipse fills its box."""

    x = serializers.IntegerField()
    y = serializers.IntegerField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    shape = serializers.ChoiceField(["box", "ellipse"], default="box")


class CoverSerializer(strict.Serializer):
    """``seen``: the photo's ``picture_state`` as it was looked at; without it, whatever is stored is covered."""

    areas = AreaSerializer(many=True)
    seen = serializers.CharField(required=False, allow_blank=True, default="")


class PictureActions(PlainPhotoViewSet):
    """Photos, with what is done to their picture."""

    serializer_class = AnalysedPhotoSerializer

    def get_serializer(self, *args, **kwargs):
        serializer = super().get_serializer(*args, **kwargs)
        if kwargs.get("many"):
            kept(serializer)["analyses"] = current_analyses(args[0])
        return serializer

    def _to_change(self) -> Photo:
        photo = self.get_object()
        need = permissions.CURATE if photo.lesion.is_archived else permissions.EDIT
        return permissions.get_photo_for(self.request.user, photo.pk, need)

    def _in_json(self, photos: list[Photo]) -> list[dict]:
        return list(self.get_serializer(photos, many=True).data)

    @extend_schema(request=CoverSerializer, responses=AnalysedPhotoSerializer(many=True))
    @action(detail=True, methods=["post"])
    def cover(self, request, pk=None):
        """Cover areas with plain grey for good: the stored photo is replaced, the original deleted, without a way back.
        Answers all photos that show this picture. 409 where somebody has covered it since ``seen``, or where an open
        study shows it."""
        photo, data = self._to_change(), request.data
        strict.only(request, "areas", "seen")
        strict.only_in("areas", data.get("areas"), AreaSerializer)
        with _told():
            photos = covering.cover(photo, data.get("areas"), request.user, seen=str(data.get("seen") or ""))
        return Response(self._in_json(photos))

    @extend_schema(methods=["GET"], responses=AnalysedPhotoSerializer(many=True))
    @extend_schema(
        methods=["POST"],
        request=BoxSerializer,
        responses={201: AnalysedPhotoSerializer, 200: AnalysedPhotoSerializer},
    )
    @action(detail=True, methods=["post", "get"], pagination_class=None, filterset_fields=[])
    def squares(self, request, pk=None):
        """GET: all photos that show this picture, one for each lesion. POST a square: another lesion in it, under the
        same patient, with its own analysis. 201; 200 where that square is there already."""
        if request.method == "GET":
            return Response(self._in_json(covering.same_picture(self.get_object())))
        photo = self._to_change()
        strict.only(request, "x", "y", "size")
        box = {name: request.data[name] for name in ("x", "y", "size") if name in request.data}
        with _told():
            made, is_new = add_lesion(photo, box, request.user)
        code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return Response(self._in_json([made])[0], status=code)


@contextmanager
def _told() -> Iterator[None]:
    """Why a picture cannot be changed, as the API says it. Raises Refused."""
    try:
        yield
    except (imaging.CoverRejected, imaging.BoxRejected) as error:
        raise Refused(400, error.code, refusal_words(error)) from None
    except refused.Refused as error:
        raise Refused(409, "not_now", str(error)) from None
    except ChangedMeanwhile:
        raise Refused(409, "changed", changed_meanwhile()) from None
    except store.StorageFull:
        raise Refused(507, "storage_full", photo_not_stored()) from None
    except OSError:
        raise Refused(409, "photo_unreadable", unreadable()) from None


def changed_meanwhile() -> str:
    return _("Somebody else has covered or removed this photo meanwhile. Look at it as it is now.")


def unreadable() -> str:
    return _("The stored photo cannot be read. Tell your administrator; nothing was changed.")
