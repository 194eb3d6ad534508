"""Taking photos that other systems send by DICOM (C-STORE)."""

import signal
import threading
from ipaddress import ip_network

from django.core.management.base import BaseCommand, CommandError, CommandParser

from skinclinic.archive.services.importing.receiving import Receiver
from skinclinic.management import chosen


class Command(BaseCommand):
    help = "Take photos that other systems send by DICOM into imports, until stopped. A curator decides on each import."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--title", action="append", required=True, metavar="AETITLE=CLINIC",
            help="as what a clinic (its short name) is called; again for another clinic",
        )  # fmt: skip
        parser.add_argument(
            "--from", action="append", required=True, dest="networks", metavar="NETWORK",
            help="from where connections are taken, such as 10.1.0.0/16: DICOM knows no passwords",
        )  # fmt: skip
        parser.add_argument("--address", default="0.0.0.0", help="where to listen; default: everywhere")
        parser.add_argument("--port", type=int, default=11112, help="default: 11112")

    def handle(
        self, *args, title: list[str], networks: list[str], address: str, port: int, **options
    ) -> None:
        clinics = {}
        for text in title:
            name, _sign, slug = text.partition("=")
            if not 0 < len(name.strip()) <= 16 or not slug:
                raise CommandError(f"“{text}” is not AETITLE=CLINIC; a title has 1 to 16 characters.")
            clinics[name.strip()] = chosen.clinic(slug)
        try:
            near = [ip_network(text, strict=False) for text in networks]
        except ValueError as error:
            raise CommandError(f"--from: {error}") from None
        try:
            server = Receiver(clinics, near).start(address, port)
        except OSError as error:
            raise CommandError(f"Cannot listen on {address}:{port}: {error.strerror or error}") from None
        stop = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        self.stdout.write(f"Listening on {address}:{port} as {', '.join(clinics)}.")
        self.stdout.flush()
        try:
            stop.wait()
        except KeyboardInterrupt:
            pass
        finally:
            server.shutdown()
