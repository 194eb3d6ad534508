"""Names of static files carry the hash of their content, so that a page never meets scripts of another release."""

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

    def url(self, name: str, force: bool = False) -> str:
        if self.hashed_files:
            return super().url(name, force)
        return StaticFilesStorage.url(self, name)


class DocumentationFinder(AppDirectoriesFinder):
    """The only files of other packages that are shown: those of the API's documentation."""

    def __init__(self, app_names=None, *args, **kwargs):
        super().__init__({"drf_spectacular_sidecar"}, *args, **kwargs)
