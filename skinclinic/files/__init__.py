"""Files on the disk, written so that a kill or a power cut leaves nothing by halves."""
