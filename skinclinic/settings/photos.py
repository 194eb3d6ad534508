"""What reading photos from outside may take."""

from .base import env

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
