from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from drf_spectacular.generators import SchemaGenerator

from skinclinic.api.client import written
from skinclinic.files.whole import write_whole

CLIENT = Path(settings.BASE_DIR) / "docs" / "skinclinic_client.py"


def made() -> str:
    """The client as this version's API has it."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    return written.client(schema)


class Command(BaseCommand):
    help = "Writes the Python client of the API from its schema."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", type=Path, default=CLIENT, help="where to, instead of docs/")

    def handle(self, out: Path, **options: object) -> None:
        write_whole(out, made())
        self.stdout.write(f"{out} is written.")
