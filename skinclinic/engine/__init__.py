"""Durable jobs and the processes that run them. ``jobs.py`` is the heart, ``broker.py`` says what wakes them."""
