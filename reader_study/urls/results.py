"""The results of a study."""

urlpatterns: list = []
