"""The kinds of job of reader studies."""
