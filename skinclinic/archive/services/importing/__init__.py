"""An import from its files to the archive: checked as a whole, reported, written, made a dataset."""
