"""Endpoints over a clinic's webhooks and what became of their messages; for admins."""

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.response import Response

from skinclinic import permissions
from skinclinic.api import strict
from skinclinic.api.base import ClinicRowSerializer, ReadViewSet
from skinclinic.api.errors import Refused
from skinclinic.api.people import administered, for_admin
from skinclinic.models import Webhook, WebhookMessage
from skinclinic.services import step_up, webhooks
from skinclinic.services.refused import Refused as NotTaken

# Messages of the log that are told.
SHOWN = 50


class WebhookSerializer(ClinicRowSerializer):
    """A webhook, as it is made."""

    read_by_view = ("clinic",)
    events = serializers.ListField(
        child=serializers.ChoiceField(Webhook.Event.choices),
        allow_empty=False,
        max_length=len(Webhook.Event),
        help_text="What it is told.",
    )

    class Meta:
        model = Webhook
        fields = ["id", "clinic", "url", "events", "is_on", "gave_up_at", "failing_since", "created_at"]
        read_only_fields = ["is_on", "gave_up_at", "failing_since", "created_at"]

    def validate_url(self, url: str) -> str:
        try:
            webhooks.require_address(url)
        except NotTaken as refused:
            raise serializers.ValidationError(str(refused)) from None
        return url

    def validate_events(self, events: list[str]) -> list[str]:
        return list(dict.fromkeys(events))


class NewWebhookSerializer(WebhookSerializer):
    """The same with the secret that signs its messages."""

    secret = serializers.CharField(read_only=True)

    class Meta(WebhookSerializer.Meta):
        fields = [*WebhookSerializer.Meta.fields, "secret"]


class WebhookChangeSerializer(WebhookSerializer):
    """The same once it is made: turned on or off. Another address is another webhook."""

    is_on = serializers.BooleanField()

    class Meta(WebhookSerializer.Meta):
        read_only_fields = ["url", "events", "gave_up_at", "failing_since", "created_at"]

    events = serializers.ListField(child=serializers.CharField(), read_only=True)


class WebhookMessageSerializer(strict.ModelSerializer):
    """What became of a message; ``problem`` says why it has not arrived."""

    class Meta:
        model = WebhookMessage
        fields = [
            "id", "event", "state", "tries", "answered", "problem", "created_at", "next_at", "ended_at"
        ]  # fmt: skip
        read_only_fields = fields


class SentAgainSerializer(strict.Serializer):
    """Which message is sent once more."""

    message = serializers.IntegerField(min_value=1, max_value=2**63 - 1, help_text="Its `id` in the log.")


@extend_schema_view(list=extend_schema(description="Webhooks of the clinics the caller is an admin of."))
class WebhookViewSet(ReadViewSet):
    """Webhooks; only admins make, see, turn and remove them."""

    queryset = Webhook.objects.select_related("clinic").order_by("-id")
    serializer_class = WebhookSerializer
    filterset_fields = ["is_on"]
    need = permissions.ADMIN

    def get_queryset(self):
        return administered(super().get_queryset(), self.request.user)

    def get_object(self):
        return for_admin(super().get_object(), self.request.user)

    @extend_schema(responses={201: NewWebhookSerializer})
    def create(self, request):
        """Make a webhook; the answer holds the secret that signs its messages, which is shown this once."""
        clinic = self.clinic_for_new()
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        # What happens here is told elsewhere from now on.
        step_up.require(request)
        made, secret = webhooks.make(clinic, request.user, **serializer.validated_data)
        said = self.get_serializer(made).data | {"secret": secret}
        return Response(said, status=status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})

    @extend_schema(request=WebhookChangeSerializer, responses=WebhookSerializer)
    def partial_update(self, request, pk=None):
        """Turn it on or off; what waited while it was off is sent when it is on again."""
        webhook = self.get_object()
        serializer = WebhookChangeSerializer(
            webhook, data=request.data, partial=True, context=self.get_serializer_context()
        )
        serializer.is_valid(raise_exception=True)
        on = serializer.validated_data.get("is_on", webhook.is_on)
        if on and not webhook.is_on:
            step_up.require(request)
        webhooks.turn(webhook, request.user, on=on)
        webhook.refresh_from_db()
        return Response(self.get_serializer(webhook).data)

    def destroy(self, request, pk=None):
        """Remove it with its log."""
        webhook = self.get_object()
        strict.only(request)
        webhooks.remove(webhook, request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses={201: WebhookMessageSerializer})
    @action(detail=True, methods=["post"])
    def test(self, request, pk=None):
        """Send a message that tells nothing; ``messages/`` says what becomes of it."""
        webhook = self.get_object()
        strict.only(request)
        message = webhooks.test(webhook, request.user)
        return Response(WebhookMessageSerializer(message).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses=WebhookMessageSerializer(many=True))
    @action(detail=True, pagination_class=None, filter_backends=[], query_parameters=())
    def messages(self, request, pk=None):
        """The newest 50 messages and what became of them."""
        some = self.get_object().messages.all()[:SHOWN]
        return Response(WebhookMessageSerializer(some, many=True).data)

    @extend_schema(request=SentAgainSerializer, responses=WebhookMessageSerializer)
    @action(detail=True, methods=["post"])
    def again(self, request, pk=None):
        """Send a message once more that was given up; the ``id`` it tells stays."""
        webhook = self.get_object()
        serializer = SentAgainSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        message = webhook.messages.filter(pk=serializer.validated_data["message"]).first()
        if message is None:
            raise Http404
        if not webhooks.send_again(message, request.user):
            raise Refused(409, "not_given_up", _("It was not given up; there is nothing to send again."))
        return Response(WebhookMessageSerializer(message).data)
