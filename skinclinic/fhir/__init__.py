"""FHIR R4 (4.0.1) as plain dicts. Pure: no rows, no requests.

A resource is made by a small function and is right because tests hold every one of them against ``fhir.resources``,
which needs not run with the product: what it would check at run time does not change there.
"""

VERSION = "4.0.1"
JSON = "application/fhir+json"
