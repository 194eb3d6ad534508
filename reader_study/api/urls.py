"""Studies, readings, answers and results for programs."""

urlpatterns: list = []
