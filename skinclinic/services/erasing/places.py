"""What the apps above hold of a patient who is erased: each registers its places here."""

from collections.abc import Callable, Iterable

from skinclinic.models import Erasure, User
from skinclinic.services.consent import Effect
from skinclinic.services.erasing.taken import Taken
from skinclinic.services.erasing.trace import Trace

# (what is erased, user, act): what follows in one place; with ``act`` rows are stripped, and what a look through files
# needs afterwards is noted in the trace, else it is only looked up.
Place = Callable[[Taken, User | None, bool], Iterable[Effect]]
_places: list[Place] = []
# (erasure, its trace): take out of files, and out of rows that are only found by reading them. It may be done twice.
Scrub = Callable[[Erasure, Trace], None]
_scrubs: list[Scrub] = []


def on_erase(place: Place) -> Place:
    """Register a place where patients' data are held in rows that stay."""
    _places.append(place)
    return place


def afterwards(scrub: Scrub) -> Scrub:
    """Register what is done by a job, once the rows are gone."""
    _scrubs.append(scrub)
    return scrub


def effects(taken: Taken, user: User | None, *, act: bool) -> list[Effect]:
    """What follows elsewhere."""
    return [effect for place in _places for effect in place(taken, user, act)]


def scrub(erasure: Erasure, trace: Trace) -> None:
    for function in _scrubs:
        function(erasure, trace)
