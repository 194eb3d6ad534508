"""Gunicorn reads this wherever it is started in this folder: nobody need know what answers, nor its version."""

import gc

import gunicorn.http.wsgi

gunicorn.http.wsgi.SERVER = "SkinClinic"


def post_worker_init(worker) -> None:
    """What stands now stays: it is not looked through for garbage with every few pages, and what comes, more seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)
