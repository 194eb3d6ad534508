"""Fine-tuning of a network whose first blocks stay as they are. Pure torch and numpy, no Django.

``examples`` reads photos and makes drawings, ``augment`` varies them, ``features`` runs them once through
the frozen blocks, ``loop`` trains the rest, ``crossval`` does so over patient-grouped folds, ``thresholds``
chooses thresholds from the scores, and ``demo`` puts these together into the demo model.
"""
