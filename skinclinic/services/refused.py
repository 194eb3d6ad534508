"""What every service says when it will not do what it was asked."""


class Refused(Exception):
    """It cannot be done; the message says why and what to do. ``field`` names what to change, "" for no one thing."""

    def __init__(self, field: str, message: str):
        super().__init__(message)
        self.field = field
