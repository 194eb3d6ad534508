"""How large a lesion was."""

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import api_view
from rest_framework.response import Response

from skinclinic import permissions
from skinclinic.api import strict
from skinclinic.api.errors import Refused
from skinclinic.models import PatientSize
from skinclinic.presenters.comparison import taken
from skinclinic.presenters.sizes import sizes_json, sizes_of
from skinclinic.services import sizes


class NewSizeSerializer(strict.ModelSerializer):
    """Measured on the patient: ``measured_on``, the longest diameter and, if known, the one across it, in mm.
    ``instead_of``: the id of such a size that this corrects."""

    instead_of = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=2**63 - 1)

    class Meta:
        model = PatientSize
        fields = ["measured_on", "longest_mm", "across_mm", "instead_of"]


class SizeSerializer(strict.Serializer):
    """``how``: "patient" (measured there) or "photo" (marked on ``photo``); ``…_off_mm``: what marking by hand may be
    off; ``not_evaluable``: why there are no mm, "no_scale" or "unsure"."""

    id = serializers.IntegerField()
    how = serializers.ChoiceField(choices=["patient", "photo"])
    photo = serializers.IntegerField(allow_null=True)
    measured_on = serializers.DateField()
    longest_mm = serializers.FloatField(allow_null=True)
    longest_off_mm = serializers.FloatField(allow_null=True)
    across_mm = serializers.FloatField(allow_null=True)
    across_off_mm = serializers.FloatField(allow_null=True)
    not_evaluable = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    created_by = serializers.CharField(allow_null=True)


@extend_schema(methods=["GET"], responses=SizeSerializer(many=True))
@extend_schema(methods=["POST"], request=NewSizeSerializer, responses={201: SizeSerializer(many=True)})
@api_view(["GET", "POST"])
def lesion_sizes(request, pk):
    """The sizes of a lesion that stand, oldest first; POST adds one measured on the patient."""
    need = permissions.VIEW if request.method == "GET" else permissions.EDIT
    lesion = permissions.get_lesion_for(request.user, pk, need)
    answer: int = status.HTTP_200_OK
    if request.method == "POST":
        serializer = NewSizeSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        try:
            sizes.set_on_patient(lesion, request.user, **serializer.validated_data)
        except sizes.Changed:
            raise Refused(
                409,
                "changed",
                _("Somebody has changed or withdrawn this size meanwhile. Look at what stands now."),
            ) from None
        answer = status.HTTP_201_CREATED
    told = sizes_of(lesion, sorted(lesion.photos.all(), key=taken))
    return Response(SizeSerializer(sizes_json(told), many=True).data, status=answer)
