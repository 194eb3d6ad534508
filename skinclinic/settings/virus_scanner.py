"""Who looks through files before they are kept."""

from django.core.exceptions import ImproperlyConfigured

from skinclinic.files.clamd import Address

from .base import env

# clamd://host:port or unix:///path of ClamAV's daemon; "": nobody.
VIRUS_SCANNER = env("VIRUS_SCANNER", default="")
# While it does not answer: 0 refuses files for now (503), 1 keeps them unscanned and writes that into the audit.
VIRUS_SCANNER_MAY_BE_AWAY = env.bool("VIRUS_SCANNER_MAY_BE_AWAY", default=False)
# That each step of a file's way to it may take.
VIRUS_SCANNER_SECONDS = env.int("VIRUS_SCANNER_SECONDS", default=60)

if VIRUS_SCANNER:
    try:
        Address.of(VIRUS_SCANNER)
    except ValueError as error:
        raise ImproperlyConfigured(f"VIRUS_SCANNER: {error}") from None

# Every file of every form comes in through these.
FILE_UPLOAD_HANDLERS = [
    "skinclinic.web.uploads.InMemory",
    "skinclinic.web.uploads.OnDisk",
]
