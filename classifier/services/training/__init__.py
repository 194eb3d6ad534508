"""Trainings: their data, their processes, their rows."""
