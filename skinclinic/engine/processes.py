"""A few processes run together in the foreground: one that dies is started again, Ctrl-C stops all."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection

RESTART_AFTER = 2.0
STOP_WITHIN = 10.0


def run_together(
    commands: dict[str, list[str]],
    *,
    env: dict[str, str],
    say: Callable[[str], None],
    changed: Callable[[], bool] = lambda: False,
    reloading: Collection[str] = (),
) -> None:
    """Run the commands until SIGINT or SIGTERM, then stop them (SIGTERM, after 10 seconds SIGKILL).

    Those in ``reloading`` are stopped and started again whenever ``changed`` says that their code has.
    """
    # SIGINT, too: a shell that starts us in the background has it ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    running: dict[str, subprocess.Popen] = {}
    try:
        while True:
            if changed():
                say(f"the code changed; starting again: {', '.join(reloading)}")
                stop([running.pop(name) for name in reloading if name in running])
            for name, command in commands.items():
                process = running.get(name)
                if process is not None and process.poll() is None:
                    continue
                if process is not None:
                    say(f"{name} stopped with status {process.returncode}; starting it again")
                    time.sleep(RESTART_AFTER)
                # A session of its own: Ctrl-C reaches this process alone, which stops the others in order.
                running[name] = subprocess.Popen(command, env=env, start_new_session=True)
            time.sleep(0.5)
    except KeyboardInterrupt:
        say("stopping")
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        stop(list(running.values()))


def stop(processes: list[subprocess.Popen]) -> None:
    """Ask every process to end, and end by force those that have not within ten seconds."""
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + STOP_WITHIN
    for process in processes:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _interrupt(*_args) -> None:
    raise KeyboardInterrupt


def python(*arguments: str) -> list[str]:
    """A command line of this very Python."""
    return [sys.executable, *arguments]
