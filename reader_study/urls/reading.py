"""What a reader sees; the secret in the address is all the access there is."""

urlpatterns: list = []
