"""Gunicorn reads this wherever it is started in this folder: nobody need know what answers, nor its version."""

import gunicorn.http.wsgi

gunicorn.http.wsgi.SERVER = "SkinClinic"
