from django.urls import path

from skinclinic.archive.views import import_mapping, imports

urlpatterns = [
    path("", imports.imports, name="imports"),
    path("new/", imports.import_new, name="import-new"),
    path("<int:pk>/", imports.import_page, name="import"),
    path("<int:pk>/act/", imports.import_act, name="import-act"),
    path("<int:pk>/mapping/", import_mapping.import_map, name="import-map"),
    path("<int:pk>/table/", imports.import_table, name="import-table"),
    path("<int:pk>/decide/", imports.import_decide, name="import-decide"),
    path("values/", import_mapping.value_terms, name="import-values"),
    path("<int:pk>/changes.csv", imports.import_changes, name="import-changes"),
    path("<int:pk>/errors.csv", imports.import_errors, name="import-errors"),
]
