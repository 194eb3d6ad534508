"""Endpoints over what members say of a case."""

from django.http import Http404
from rest_framework import serializers, status
from rest_framework.response import Response

from skinclinic import permissions
from skinclinic.api.base import ClinicRowSerializer, NoteText, ReadViewSet, require_right
from skinclinic.models import Comment
from skinclinic.services import comments


class CommentSerializer(ClinicRowSerializer):
    """People are named as they sign in; @NAME in the text calls a member of the clinic, who is in ``mentioned`` then.
    The text of a deleted comment is empty."""

    text = NoteText(max_length=comments.LONGEST)
    created_by = serializers.CharField(source="created_by.username", read_only=True)
    mentioned: "serializers.SlugRelatedField" = serializers.SlugRelatedField(
        slug_field="username", many=True, read_only=True
    )

    class Meta:
        model = Comment
        fields = [
            "id", "clinic", "lesion", "text", "mentioned", "created_by", "created_at", "changed_at", "deleted_at",
        ]  # fmt: skip
        read_only_fields = ["created_at", "changed_at", "deleted_at"]


class CommentViewSet(ReadViewSet):
    """Comments on cases, the last first. Where the own impression comes first, those of colleagues are there once you
    have decided at the lesion."""

    queryset = (
        Comment.objects.select_related("clinic", "lesion", "created_by")
        .prefetch_related("mentioned")
        .order_by("-id")
    )
    serializer_class = CommentSerializer
    filterset_fields = ["lesion"]
    http_method_names = ["get", "post", "head", "options"]

    def get_queryset(self):
        return super().get_queryset().exclude(self._kept_back())

    def get_object(self):
        row = super().get_object()
        if Comment.objects.filter(self._kept_back(), pk=row.pk).exists():
            raise Http404
        return row

    def _kept_back(self):
        members = permissions.memberships(self.request.user).select_related("clinic")
        return comments.kept_back(self.request.user, members)

    def create(self, request):
        """Say something of a lesion."""
        require_right(request)
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        lesion = permissions.get_lesion_for(request.user, values["lesion"].pk, permissions.EDIT)
        row = comments.write(lesion, request.user, values["text"])
        return Response(self.get_serializer(row).data, status=status.HTTP_201_CREATED)
