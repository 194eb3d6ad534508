"""A candidate in the shadow: it computes what the clinic's model in use answers, and nobody but admins learns of it.

``runs`` (started, stopped, ended), ``computing`` (which photos, when, giving way to the clinic's own), ``figures``
(both models on the same photos).
"""
