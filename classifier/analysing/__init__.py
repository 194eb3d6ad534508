"""From photos to scores and maps, one or many at a time. Pure."""
