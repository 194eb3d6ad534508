"""Settings, read from the environment. Without any, everything runs on one machine inside SKINCLINIC_HOME."""

from .base import *  # noqa: F403
from .cookies import *  # noqa: F403
from .engine import *  # noqa: F403
from .photos import *  # noqa: F403
from .second_factor import *  # noqa: F403
from .security import *  # noqa: F403
from .single_sign_on import *  # noqa: F403
from .virus_scanner import *  # noqa: F403
from .watching import *  # noqa: F403
