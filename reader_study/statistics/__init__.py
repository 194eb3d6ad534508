"""Every figure of a reader study, on plain numpy, without Django.

``tables.read_tables`` reads a study from files, ``report.report`` computes everything. The parts:
``coded`` (answers as arrays), ``model`` (ROC figures of the model), ``points`` (readers' sensitivity and specificity),
``agreement`` (kappas), ``sessions`` (one session), ``comparison`` (two sessions, the model against readers, Holm),
``design`` (what readers were given and answered), ``verdicts`` (what may be concluded), ``small_sample`` (when it may),
``question`` and ``questions`` (overall accuracy, malignant against benign, management), ``endpoints``,
``differences``, ``patients`` (as clusters), ``areas``, ``matched`` (the model's curve), ``doubts`` (what looks like a
mistake), ``changes`` (how answers changed), ``tidy`` (tables in words).
``ratings`` reads rated tests and ``rated`` compares them; ``reading`` is how both kinds of files are read.
"""
