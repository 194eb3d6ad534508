"""Names of static files carry the hash of their content, so that a page never meets scripts of another release."""

from django.conf import settings
from django.contrib.staticfiles.finders import AppDirectoriesFinder
from django.contrib.staticfiles.storage import StaticFilesStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticStorage(CompressedManifestStaticFilesStorage):
    """``collectstatic`` writes each file under its name and its hashed name, and rewrites what files name: in
    stylesheets, and in the imports of modules. Where nothing was collected (tests, a first look at the source)
    files keep their plain names, which are served from where they lie."""

    support_js_module_import_aggregation = True
    # A change travels one import a pass; modules import each other over more levels than Django expects.
    max_post_process_passes = 12

    def __init__(self, *args, **kwargs):
        self._addresses: dict[str, str] = {}
        super().__init__(*args, **kwargs)

    def url(self, name: str, force: bool = False) -> str:
        """The address of a file, which holds as long as the manifest that was read: a page asks for hundreds."""
        if not self.hashed_files:
            return StaticFilesStorage.url(self, name)
        if settings.DEBUG:
            return super().url(name, force)
        if name not in self._addresses:
            self._addresses[name] = super().url(name, force)
        return self._addresses[name]

    def post_process(self, *args, **kwargs):
        """Names are anew while files are collected."""
        for processed in super().post_process(*args, **kwargs):
            self._addresses.clear()
            yield processed
        self._addresses.clear()


class DocumentationFinder(AppDirectoriesFinder):
    """The only files of other packages that are shown: those of the API's documentation."""

    def __init__(self, app_names=None, *args, **kwargs):
        super().__init__({"drf_spectacular_sidecar"}, *args, **kwargs)
