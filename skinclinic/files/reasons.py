"""What people may be told of a disk that did not do what it was asked. Pure."""


def reason(error: OSError) -> str:
    """In the system's words, such as "No space left on device". Which file it was is for the log alone: its path says
    where the server keeps what."""
    return error.strerror or type(error).__name__
