"""Model versions: registered, published, described, compared, with their thresholds."""
