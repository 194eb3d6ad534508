"""Reads templates once, as Django's own loader that caches, and has them rendered by functions."""

from django.template import Template
from django.template.loaders.cached import Loader as CachedLoader

from .nodes import quicken


class Loader(CachedLoader):
    """For engines that show nothing in the place of a variable that there is none of, and no source with errors."""

    def get_template(self, template_name: str, skip=None) -> Template:
        """Give a template that is rendered by functions."""
        template = super().get_template(template_name, skip)
        if not self.engine.debug and not self.engine.string_if_invalid:
            quicken(template)
        return template
