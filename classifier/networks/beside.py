"""What lies in a model's folder beside weights and manifest. Pure, no torch."""

from pathlib import Path

from classifier.networks.manifest import ModelRejected
from skinclinic.files.reasons import reason


def read_bytes(path: Path, largest: int, *, missing: ModelRejected, unreadable: str) -> bytes:
    """A file of at most ``largest`` bytes as it is. Raises ``missing`` where it is not there, ModelRejected with the
    code ``unreadable`` where it cannot be read or is larger."""
    try:
        with path.open("rb") as file:
            content = file.read(largest + 1)
    except FileNotFoundError:
        raise missing from None
    except OSError as error:
        raise ModelRejected(unreadable, f"{path.name} cannot be read: {reason(error)}.") from error
    if len(content) > largest:
        raise ModelRejected(unreadable, f"{path.name} is larger than {largest >> 20} MB.")
    return content
