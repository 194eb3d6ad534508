"""DICOM: photos, heatmaps and reports as objects, read from files, sent to and found in other systems.

Built on pydicom, highdicom and pynetdicom; nothing here knows Django. ``docs/dicom.md`` is its conformance statement.
"""
