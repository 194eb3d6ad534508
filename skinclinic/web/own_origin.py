"""What is ours is for our own pages."""


class OwnOriginMiddleware:
    """No page of another site may take in a photo, a script or an answer from here, whoever is signed in there."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response
