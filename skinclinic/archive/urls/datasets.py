from django.urls import path

from skinclinic.archive.views import candidates, datasets, differences, exports, members

urlpatterns = [
    path("", datasets.dataset_list, name="datasets"),
    path("new/", datasets.dataset_new, name="dataset-new"),
    path("compare/", datasets.dataset_compare, name="dataset-compare"),
    path("from-clinic/", candidates.dataset_candidates, name="dataset-candidates"),
    path("<int:pk>/", datasets.dataset, name="dataset"),
    path("<int:pk>/act/", datasets.dataset_act, name="dataset-act"),
    path("<int:pk>/differences/", differences.dataset_differences, name="dataset-differences"),
    path("<int:pk>/export/", exports.dataset_export, name="dataset-export"),
    path("<int:pk>/export/texts/", exports.dataset_texts, name="dataset-texts"),
    path("<int:pk>/croissant/", exports.dataset_croissant, name="dataset-croissant"),
    path("<int:pk>/datasheet/", exports.dataset_datasheet, name="dataset-datasheet"),
    path("<int:pk>/photos/", members.members, name="dataset-photos"),
    path("<int:pk>/photos/act/", members.members_act, name="dataset-photos-act"),
]
