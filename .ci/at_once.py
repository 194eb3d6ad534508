"""Run two commands at once, ``COMMAND… -- COMMAND…``: the first is shown as it goes, the second when it has ended.

Exits with 1 if either fails. Both are told to stop when this is interrupted.
"""

import subprocess
import sys
import tempfile


def main(arguments: list[str]) -> int:
    middle = arguments.index("--")
    shown, kept = arguments[:middle], arguments[middle + 1 :]
    with tempfile.TemporaryFile() as said:
        beside = subprocess.Popen(kept, stdout=said, stderr=subprocess.STDOUT)
        try:
            failed = subprocess.run(shown).returncode != 0
            failed |= beside.wait() != 0
        except BaseException:
            beside.terminate()
            beside.wait()
            raise
        finally:
            said.seek(0)
            print("\n" + " ".join(kept), flush=True)
            sys.stdout.buffer.write(said.read())
            sys.stdout.flush()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
