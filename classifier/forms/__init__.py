"""Forms of the classifier's pages."""
