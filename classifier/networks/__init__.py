"""The feature extractors: everything of a network but its last, classifying layer."""
