#!/usr/bin/env python3
"""Django's command line."""

import gc
import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skinclinic.settings")
    # Of matrices as small as those of statistics, threads make nothing but work for all processors.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Nothing of what is loaded now is garbage: to look for some takes a fifth of the time.
    gc.disable()
    from skinclinic.files import private

    private.begin()
    from django.core.management import ManagementUtility

    class Loaded(ManagementUtility):
        def fetch_command(self, subcommand: str):
            gc.freeze()
            gc.enable()
            return super().fetch_command(subcommand)

    try:
        Loaded(sys.argv).execute()
    finally:
        # Nor is it looked for in what goes with the process anyway, which would take half a second after a large study.
        gc.freeze()


if __name__ == "__main__":
    main()
