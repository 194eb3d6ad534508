"""The archive's search box and what a person selected with it."""
