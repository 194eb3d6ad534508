"""What is told of an evaluation's photos, worked out once and kept beside its report, so that no page looks through all
of them.

``values`` (plain values, and whether they still hold), ``arrays`` (numbers of photos, of which a page reads some
places), ``scores`` (in order, for thresholds), ``gallery`` (photos in its orders). The job that makes them ahead:
``services/evaluation/looking.py``, ``services/following/looked_ahead.py``.
"""
