"""Upload, results, trying a photo, and models."""

from django.urls import path

from classifier.views import assessment, crop, label_check, maps, models, report, result, try_page, upload

urlpatterns = [
    path("upload/", upload.upload, name="upload"),
    path("photos/", upload.photo_upload, name="photo-upload"),
    path("photos/cards/", upload.photo_cards, name="photo-cards"),
    path("photos/<int:pk>/card/", upload.photo_card, name="photo-card"),
    path("photos/<int:pk>/crop/", crop.crop, name="photo-crop"),
    path("photos/<int:pk>/", result.photo, name="photo"),
    path("photos/<int:pk>/retry/", result.retry, name="photo-retry"),
    path("analyses/<int:pk>/", result.analysis, name="analysis"),
    path("analyses/<int:pk>/maps", maps.analysis_maps, name="analysis-maps"),
    path("analyses/<int:pk>/impression/", assessment.impression, name="analysis-impression"),
    path("analyses/<int:pk>/decision/", assessment.decision, name="analysis-decision"),
    path("analyses/<int:pk>/report.pdf", report.analysis_report, name="analysis-report"),
    path("analyses/<int:pk>/panels.png", report.analysis_panels, name="analysis-panels"),
    path("try/", try_page.try_page, name="try"),
    path("try/<str:token>/", try_page.try_result, name="try-result"),
    path("try/<str:token>/image", try_page.try_image, name="try-image"),
    path("try/<str:token>/maps", try_page.try_maps, name="try-maps"),
    path("try/<str:token>/delete/", try_page.try_delete, name="try-delete"),
    path("archive/review/model/", label_check.label_check, name="review-model"),
    path("models/", models.models, name="models"),
    path("models/register/", models.model_register, name="model-register"),
    path("models/roll-back/", models.model_rollback, name="model-rollback"),
    path("models/<int:pk>/", models.model, name="model"),
    path("models/<int:pk>/publish/", models.model_publish, name="model-publish"),
]
