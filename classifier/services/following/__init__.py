"""The model in use, followed after it is published: records by a rule stated in advance, the proven cases since, what
the page shows of them, and alarms.

``rules`` (what an alarm is held against), ``records`` (begun and ended), ``cases`` (which lesions count, with what),
``used`` (which of them thresholds were chosen on, which a promise is of), ``photos`` (of which patient which photo
counts), ``first`` (what the first say of later ones), ``counted`` (who has counted, wherever they are filed),
``counting`` (evidence and alarms), ``figures`` (everything else, by a job; ``listed`` and ``promised`` are parts of
it), ``drift`` (what is watched of photos and scores: a place to add to), ``due`` (when the job runs).
"""
