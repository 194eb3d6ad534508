"""A study until it is open: sample, settings, readers, what keeps it from opening, the protocol."""
