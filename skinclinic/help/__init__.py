"""Help inside the product: ``docs/help`` read, rendered and searched (``pages.py``), by role (``contents.py``), and
which page of the product leads to which (``places.py``). Pure."""
