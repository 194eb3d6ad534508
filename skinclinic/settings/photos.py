"""What reading photos from outside may take."""

from django.core.exceptions import ImproperlyConfigured

from skinclinic.backups.sealing import BadKey, Key
from skinclinic.files.bucket_address import BucketAddress

from .base import env

# Where photos lie: "" for files below SKINCLINIC_HOME, or a bucket that several machines share (docs/scaling.md).
# Without name and secret of our own they are looked for where Amazon's tools look.
PHOTO_STORAGE = env("PHOTO_STORAGE", default="")
PHOTO_STORAGE_KEY_ID = env("PHOTO_STORAGE_KEY_ID", default="")
PHOTO_STORAGE_SECRET = env("PHOTO_STORAGE_SECRET", default="")
# Photos are sealed with it where they lie: the text of a key file that `manage.py backup --new-key` has made.
PHOTO_KEY = env("PHOTO_KEY", default="")


def _check() -> None:
    try:
        if PHOTO_STORAGE:
            BucketAddress.of(PHOTO_STORAGE)
        if PHOTO_KEY:
            Key.of_text(PHOTO_KEY)
    except BadKey as error:
        raise ImproperlyConfigured(f"PHOTO_KEY: {error}") from None
    except ValueError as error:
        raise ImproperlyConfigured(f"PHOTO_STORAGE: {error}.") from None


_check()

# Processes that read photos, of each process of the web or worker, and how many photos may wait for one of them, and
# for how many seconds. Together they hold fewer threads than the web process has, so that the rest answers pages.
DECODERS = env.int("DECODERS", default=3)
DECODERS_WAITING = env.int("DECODERS_WAITING", default=3)
DECODERS_PATIENCE = 10
# Of one photo: memory beyond what a process has anyway, seconds of the processor, seconds by the clock.
PHOTO_MEMORY_MB = env.int("PHOTO_MEMORY_MB", default=850)
PHOTO_CPU_SECONDS = env.int("PHOTO_CPU_SECONDS", default=20)
PHOTO_SECONDS = 45

# Photos that may be sent in an hour, whether they are taken or refused: by one person, and from one address, behind
# which a whole hospital may be. Imports do not count.
PHOTOS_AN_HOUR = env.int("PHOTOS_AN_HOUR", default=3000)
PHOTOS_AN_HOUR_ADDRESS = env.int("PHOTOS_AN_HOUR_ADDRESS", default=12_000)
# The same of the try page, where nobody may be known: of a member, and from one address without an account or with.
TRIES_AN_HOUR = env.int("TRIES_AN_HOUR", default=120)
TRIES_AN_HOUR_ADDRESS = env.int("TRIES_AN_HOUR_ADDRESS", default=20)
TRIES_AN_HOUR_ADDRESS_MEMBERS = env.int("TRIES_AN_HOUR_ADDRESS_MEMBERS", default=600)

# What one clinic may keep: photos, and gigabytes of the files of its imports and of its own models. The files of an
# import that nobody starts go after so many days.
CLINIC_PHOTOS = env.int("CLINIC_PHOTOS", default=500_000)
CLINIC_IMPORTS_GB = env.int("CLINIC_IMPORTS_GB", default=200)
CLINIC_MODELS_GB = env.int("CLINIC_MODELS_GB", default=50)
IMPORT_DAYS = env.int("IMPORT_DAYS", default=30)
