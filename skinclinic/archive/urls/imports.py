from django.urls import path

from skinclinic.archive.views.placeholder import placeholder

urlpatterns = [
    path("", placeholder, name="imports"),
]
