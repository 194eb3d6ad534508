"""Taking back what lies in the bin, whatever it was."""

from skinclinic.models import BinItem, User
from skinclinic.services.binning import merges, restoring
from skinclinic.services.binning.restoring import Restored


def take_back(item: BinItem, user: User) -> Restored:
    """Restore what was deleted, or part what was merged. Raises Gone and Refused."""
    return merges.undo(item, user) if item.kind == BinItem.Kind.MERGE else restoring.restore(item, user)
