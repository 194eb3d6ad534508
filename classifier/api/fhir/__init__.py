"""``/api/v1/fhir/``: FHIR R4, to read and to search. ``docs/fhir.md`` tells it."""
