"""Figures of the installation for Prometheus, asked of the database and of this machine when it scrapes.

No patient's and no person's, and no name of a clinic: its key at most. ``sources.py`` has the figures of this app;
others register theirs with ``measured.figure.source``.
"""
