"""Whether the audit is whole; for a nightly timer, and for whoever doubts it."""

from django.core.management.base import BaseCommand, CommandError

from skinclinic.services import audit_check
from skinclinic.services.audit_chain import Place


class Command(BaseCommand):
    help = (
        "Go through the audit and name every row that was changed, is missing, was put in or moved (exit status 1). "
        "Prints the anchor SEQ:CHAIN of the last row: note it outside this machine and compare with --expect later."
    )

    def add_arguments(self, parser):
        parser.add_argument("--expect", type=_place, metavar="SEQ:CHAIN", help="an anchor noted before")

    def handle(self, *args, expect: Place | None, **options):
        verdict = audit_check.verify(expect)
        for problem in verdict.problems:
            self.stderr.write(problem)
        if verdict.key_may_have_changed:
            self.stderr.write(
                "Not one row fits its seal: was SECRET_KEY changed? Name the old one in SECRET_KEY_FALLBACKS."
            )
        if verdict.problems:
            raise CommandError(f"The audit is not whole: {len(verdict.problems)} findings.")
        self.stdout.write(f"{verdict.placed} rows, all there, unchanged and in their order.")
        if verdict.waiting:
            self.stdout.write(f"{verdict.waiting} more were written meanwhile and have no place yet.")
        self.stdout.write(f"Anchor: {verdict.anchor}")


def _place(text: str) -> Place:
    try:
        return Place.read(text)
    except ValueError:
        raise CommandError(f"{text} is no anchor: one looks like 1042:3f9a…") from None
