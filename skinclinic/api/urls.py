"""/api/v1/: sign-in token, schema, documentation, and the clinic's rows. The apps above add their own.

Without signing in there are ``token/``, FHIR's ``fhir/metadata``, ``try/`` where a clinic has opened it, and the result
of such a try at its own address; nothing else, the schema and its page included.
"""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import APIRootView, DefaultRouter

from skinclinic.api import bin, coding, comments, people, plans, records, sizes, tokens, visits, webhooks


class Root(APIRootView):
    """What there is, for programs; whoever opens the address in a browser is led to the page that explains it."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if "text/html" in request.headers.get("Accept", ""):
            return redirect("api-docs")
        return super().dispatch(request, *args, **kwargs)


router = DefaultRouter()
router.APIRootView = Root
# Programs ask by Accept, not by "patients.json", which views with arguments of their own would not take.
router.include_format_suffixes = False
router.register("clinics", people.ClinicsViewSet, basename="api-clinic")
router.register("members", people.MemberViewSet, basename="api-member")
router.register("invitations", people.InvitationViewSet, basename="api-invitation")
router.register("webhooks", webhooks.WebhookViewSet, basename="api-webhook")
router.register("patients", records.PatientViewSet, basename="api-patient")
router.register("lesions", records.LesionViewSet, basename="api-lesion")
router.register("follow-ups", plans.FollowUpViewSet, basename="api-follow-up")
router.register("biopsies", plans.BiopsyViewSet, basename="api-biopsy")
router.register("notes", visits.NoteViewSet, basename="api-note")
router.register("symptoms", visits.SymptomsViewSet, basename="api-symptoms")
router.register("comments", comments.CommentViewSet, basename="api-comment")
router.register("bin", bin.BinViewSet, basename="api-bin")
router.register("diagnoses", records.DiagnosisViewSet, basename="api-diagnosis")

urlpatterns = [
    path("me/", people.me, name="api-me"),
    path("diseases/", people.diseases, name="api-diseases"),
    path("sites/", people.sites, name="api-sites"),
    path("codes/", coding.CodesView.as_view(), name="api-codes"),
    path("lesions/<int:pk>/sizes/", sizes.lesion_sizes, name="api-lesion-sizes"),
    path("token/", tokens.TokenView.as_view(), name="api-token"),
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path(
        "docs/", login_required(SpectacularSwaggerSplitView.as_view(url_name="api-schema")), name="api-docs"
    ),
    path("", include("skinclinic.archive.api.urls")),
    path("", include("classifier.api.urls")),
    path("", include("reader_study.api.urls")),
    path("", include(router.urls)),
]
