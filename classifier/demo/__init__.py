"""The demo's clinic: people, patients and photos, an archive. ``manage.py seed_demo`` makes it."""
