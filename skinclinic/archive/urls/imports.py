from django.urls import path

from skinclinic.archive.views import imports

urlpatterns = [
    path("", imports.imports, name="imports"),
    path("new/", imports.import_new, name="import-new"),
    path("<int:pk>/", imports.import_page, name="import"),
    path("<int:pk>/act/", imports.import_act, name="import-act"),
    path("<int:pk>/mapping/", imports.import_map, name="import-map"),
    path("<int:pk>/errors.csv", imports.import_errors, name="import-errors"),
]
