"""Breaks each part of a running site under uploads, again and again, and tells what came of every photo.

    python -m tests.faults.measure_faults [--engine embedded|servers] [--uploads 500] [--only WORDS]

Real processes: gunicorn as docker/web.Dockerfile starts it, workers, two reconcilers; on SQLite with messages in a
folder (``embedded``), or on a PostgreSQL and a Redis of its own (``servers``, which are killed like the rest). UPLOADS
photos in all are sent by four people, shared among the faults; each is sent again until it is accepted. Then rows,
files, jobs and answers of each clinic are held against what was sent and against the answers of the undisturbed run,
``doctor --deep`` looks for files without rows and rows without files, and, at the end, ``verify_audit`` at the audit.
A line of a table for each fault; status 1 where anything was lost, doubled, wrong or stuck.

Disks are filled and clocks jump only where this may be done (root; Debian's libfaketime).
"""

import argparse
import contextlib
import os
import sys
from pathlib import Path

from tests.faults import site as sites


def measure(engine: str, uploads: int, only: str) -> bool:
    """Print the table; whether all was well."""
    with contextlib.ExitStack() as stack:
        home, has_own_disk = stack.enter_context(sites.home_on_a_small_disk())
        database = sites.Database(engine, home, stack, own_disk=has_own_disk)
        (disk := home.parent / "redis").mkdir()
        stack.enter_context(sites.small_disk(disk, sites.BROKER_DISK_MB))
        broker = sites.Redis(disk) if engine == sites.SERVERS else sites.Folder(home)
        site = sites.Site(engine, home, database, broker)
        stack.callback(site.end)
        os.environ |= site.own_environment
        import django

        django.setup()
        from tests.faults.measured import HEAD, Measured, chosen_of

        chosen, left_out = chosen_of(engine, only, has_own_disk)
        for fault, why in left_out:
            print(f"left out, as {why}: {fault.name}")
        measured = Measured(site)
        measured.prepare()
        print(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}", flush=True)
        for fault in chosen:
            print(f"| {' | '.join(measured.fault(fault, max(8, uploads // len(chosen))))} |", flush=True)
        broker.start()
        audit = site.command("verify_audit")
        print(f"\n`verify_audit`: {(audit.stdout or audit.stderr).strip()}")
        if kept := os.environ.get("SKINCLINIC_FAULTS_LOG"):
            Path(kept).write_bytes(Path(site.log.name).read_bytes())
        return measured.is_sound and audit.returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engine", choices=(sites.EMBEDDED, sites.SERVERS), default=sites.EMBEDDED)
    parser.add_argument("--uploads", type=int, default=500, help="of all faults together (500)")
    parser.add_argument("--only", default="", metavar="WORDS", help="those whose names hold this")
    asked = parser.parse_args()
    sys.exit(0 if measure(asked.engine, asked.uploads, asked.only) else "not everything was as it should be")


if __name__ == "__main__":
    main()
