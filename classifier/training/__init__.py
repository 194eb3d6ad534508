"""Training of networks. Pure torch and numpy, no Django.

The demo model: ``examples`` reads photos and makes drawings, ``features`` runs them once through frozen blocks,
``loop`` trains the rest, ``crossval`` does so over patient-grouped folds, ``thresholds`` chooses thresholds from
the scores, and ``demo`` puts these together.

Any model, from a clinic's dataset: ``plan`` says what decides the outcome, ``photos`` reads and divides the photos,
``initial`` gives starting weights, ``trainer`` trains (on several GPUs through ``world``, again from the last
``checkpoint`` after a kill), ``record`` writes the manifest, and ``runner`` does all this in one folder.

Both: ``augment`` varies pictures, ``steps`` and ``settings`` are what happens at a step.
"""
