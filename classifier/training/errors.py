"""Why a training does not come to its end."""


class TrainingRefused(ValueError):
    """It cannot be done as asked. ``code`` is stable, ``message`` says to a person why and what to do."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code
        self.message = message


class TrainingStopped(Exception):
    """Somebody asked it to stop; a checkpoint was written."""
