"""How archives write down their photos. Pure: tables and folders in, ``Row`` out; nothing here knows Django."""
