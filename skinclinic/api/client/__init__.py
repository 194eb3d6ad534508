"""The client of the API that others copy, ``docs/skinclinic_client.py``: types and methods are written from the schema
(``written``), how it asks is ``asking.py`` as it stands there. ``manage.py api_client`` writes it anew."""
