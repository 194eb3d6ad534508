"""The web process as its image starts it."""

import json
import re
import sys
from pathlib import Path

from django.conf import settings

DOCKERFILE = Path(settings.BASE_DIR) / "docker/web.Dockerfile"
COMPOSE = Path(settings.BASE_DIR) / "docker/compose.yaml"


def gunicorn(port: int, workers: int | None = None) -> list[str]:
    """The command of docker/web.Dockerfile on this port, with as many processes as there unless ``workers`` says."""
    words = json.loads(re.search(r"^CMD (\[.*\])$", DOCKERFILE.read_text().replace("\\\n", ""), re.M)[1])
    words[words.index("--bind") + 1] = f"127.0.0.1:{port}"
    if workers:
        words[words.index("--workers") + 1] = str(workers)
    return [sys.executable, "-m", *words]
