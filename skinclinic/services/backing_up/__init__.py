"""Saving an installation while it runs, and giving it back.

Rows and files are saved at different moments and still belong together. Files that rows name are written before their
rows and deleted after them, and never changed: so what is there is copied first, then all rows are read in one snapshot
of the database, then whatever files came meanwhile. Where a row of the snapshot names a file that was not caught and
the row has gone since, the snapshot is taken again.
"""
