"""Every address of the product, by app."""

from django.urls import include, path

from skinclinic.views import diagnosis_terms, engine

urlpatterns = [
    path("healthz", engine.healthz, name="healthz"),
    path("engine/", engine.status, name="engine-status"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("diagnosis-terms/", diagnosis_terms.diagnosis_terms, name="diagnosis-terms"),
    path("", include("classifier.urls")),
]

handler400 = "skinclinic.views.errors.bad_request"
handler403 = "skinclinic.views.errors.forbidden"
handler404 = "skinclinic.views.errors.not_found"
handler500 = "skinclinic.views.errors.server_error"
