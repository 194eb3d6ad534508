"""What kind of answer a caller gets."""

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation


class AnswersAnyway(DefaultContentNegotiation):
    """Whoever wants none of the kinds there are gets the first: JSON, also in a browser's tab, or the file itself."""

    def select_renderer(self, request, renderers, format_suffix=None):
        try:
            return super().select_renderer(request, renderers, format_suffix)
        except NotAcceptable:
            return renderers[0], renderers[0].media_type
