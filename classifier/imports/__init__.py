"""Networks that were trained elsewhere: their files read, checked and brought into our form."""
