"""Erase again what a restored backup has brought back."""

from typing import Any

from django.core.management.base import BaseCommand

from skinclinic.services.erasing import again, ledger


class Command(BaseCommand):
    help = (
        "After an older database or older files were restored: erases again every patient of the list of erasures "
        "(erasures.jsonl in SKINCLINIC_HOME). It may be run at any time and does nothing twice."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        count = 0
        for line, counts in again.apply():
            count += 1
            back = ", ".join(f"{what} {n}" for what, n in counts.items() if n)
            self.stdout.write(f"{line.at:%Y-%m-%d} {line.number}: {back or 'no rows were back'}")
        self.stdout.write(f"{count} erasures applied; behind the list now: {ledger.behind()}.")
