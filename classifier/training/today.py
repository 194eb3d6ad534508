"""Today, for what a manifest says. Pure."""

from datetime import datetime


def today() -> str:
    """The date in the zone of this process: Django sets its own (TIME_ZONE) as TZ, for the processes it starts, too."""
    return datetime.now().astimezone().date().isoformat()
