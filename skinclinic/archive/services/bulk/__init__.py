"""One action on many photos: asked for once, done in steps by a job, told in one receipt, taken back as a whole."""
