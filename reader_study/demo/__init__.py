"""The demo's studies. ``manage.py seed_demo`` makes them."""
