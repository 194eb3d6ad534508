"""What every service of a study says when it will not do something."""


class Refused(Exception):
    """It cannot be done. ``field`` names what to change; the message says why and what to do."""

    def __init__(self, field: str, message: str):
        super().__init__(message)
        self.field = field
