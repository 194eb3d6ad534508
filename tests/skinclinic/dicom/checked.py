"""Objects as another program judges them: dciodvfy of Debian's dicom3tools."""

import subprocess
from pathlib import Path

# The Study Time is not known here, nor the patient of a photo that is not filed yet, nor always the side: these may be
# empty (type 2). The tool is older than the modality of dermoscopy, and cannot know a scheme of our own.
KNOWN = (
    "needed to build DICOMDIR", "only permitted to be empty when actually unknown",
    "Unrecognized defined term = <DMS>", "Unrecognized defined term = <99SKINCLINIC>",
)  # fmt: skip


def complaints(data: bytes, folder: Path) -> list[str]:
    """What dciodvfy finds wrong, or "" to be warned of, besides what is ``KNOWN``."""
    path = folder / "object.dcm"
    path.write_bytes(data)
    done = subprocess.run(["dciodvfy", "-new", str(path)], capture_output=True, text=True, check=False)
    said = (done.stdout + done.stderr).splitlines()
    assert said, "it said nothing"
    return [
        line
        for line in said
        if line.startswith(("Error", "Warning")) and not any(known in line for known in KNOWN)
    ]
