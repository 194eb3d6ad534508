"""``python -m classifier.training FOLDER``: train in a prepared folder, on all GPUs there are.

As long as standard input is open, with ``--while-watched``: when it is closed, because whoever started this
wants it to stop or has died, a checkpoint is written and the process ends.
"""

import argparse
import logging
import os
import signal
import sys
import threading
from pathlib import Path


def main() -> int:
    """Train; 0 when it is done, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m classifier.training")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--processes", type=int, default=0, help="default: one a GPU, or one")
    parser.add_argument("--while-watched", action="store_true", help="stop when standard input is closed")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")

    import torch

    processes = arguments.processes or torch.cuda.device_count() or 1
    if processes > 1 and "WORLD_SIZE" not in os.environ:
        _under_torchrun(processes)

    from classifier.training import folder, runner

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    if arguments.while_watched:
        threading.Thread(target=_watch, args=(stop,), daemon=True).start()
    return 0 if runner.run(arguments.folder, stop.is_set) == folder.DONE else 1


def _under_torchrun(processes: int) -> None:
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    os.execv(sys.executable, [sys.executable, *launcher, "-m", "classifier.training", *sys.argv[1:]])


def _watch(stop: threading.Event) -> None:
    while os.read(0, 4096):
        pass
    stop.set()


if __name__ == "__main__":
    sys.exit(main())
