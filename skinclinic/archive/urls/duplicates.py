from django.urls import path

from skinclinic.archive.views import duplicates

urlpatterns = [
    path("", duplicates.queue, name="duplicates"),
    path("decided/", duplicates.decided, name="duplicates-decided"),
    path("search/", duplicates.search, name="duplicates-search"),
    path("<int:pk>/decide/", duplicates.decide, name="duplicate-decide"),
    path("<int:pk>/reopen/", duplicates.reopen, name="duplicate-reopen"),
]
