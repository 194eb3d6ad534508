"""The archive's part of /api/."""

from rest_framework.routers import SimpleRouter

from skinclinic.archive.api import datasets

router = SimpleRouter()
router.register("datasets", datasets.DatasetViewSet, basename="api-dataset")

urlpatterns = [*router.urls]
