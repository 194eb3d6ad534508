"""What the commands that import a model have in common: its description and its registration."""

from dataclasses import dataclass
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from classifier.imports.labels import Labels
from classifier.imports.parts import Parts
from classifier.models import ModelVersion
from classifier.networks.manifest import NAME_PATTERN, Manifest, ModelRejected
from classifier.networks.preprocess import Preprocessing
from classifier.services.models import bring_in as model_import
from skinclinic.models import Clinic
from skinclinic.services import scanning

NOT_STATED = "Not stated."
LIMITS = "Trained elsewhere and imported; not validated in this software."


@dataclass(frozen=True)
class Imported:
    """A network that was read, with what its outputs mean. ``files``: those it came from. ``maps``: see Manifest."""

    architecture: str
    preprocessing: Preprocessing
    parts: Parts
    labels: Labels
    files: tuple[Path, ...]
    maps: str = ""


class ImportCommand(BaseCommand):
    """Reads a network and registers it as a model version; a subclass says how to read it."""

    def add_arguments(self, parser):
        parser.add_argument(
            "--name", required=True, help="the model's name: a-z, 0-9, dot, hyphen, underscore"
        )
        parser.add_argument("--clinic", metavar="SLUG", help="the only clinic that may use it (default: all)")
        parser.add_argument("--trained-on", default=NOT_STATED, metavar="TEXT", help="on which photos")
        parser.add_argument("--trained-at", default="", metavar="DATE", help="when")
        parser.add_argument(
            "--validated-on", default=NOT_STATED, metavar="TEXT", help="on which, with results"
        )
        parser.add_argument("--licence", default=NOT_STATED, metavar="TEXT", help="of the weights")
        parser.add_argument("--intended-use", default=NOT_STATED, metavar="TEXT")
        parser.add_argument(
            "--half",
            action="store_true",
            help="round kernels to half precision: half the file, scores differ a little (default: as they come)",
        )
        parser.add_argument("--limits", default=LIMITS, metavar="TEXT", help="what it cannot do")

    def read(self, options: dict) -> Imported:
        """Read the network. Raises ModelRejected, OSError or CommandError."""
        raise NotImplementedError

    def files(self, options: dict) -> list[Path]:
        """What is read: every option that is a file."""
        return [value for value in options.values() if isinstance(value, Path)]

    def handle(self, *args, **options):
        if not NAME_PATTERN.fullmatch(options["name"]):
            raise CommandError(
                f"{options['name']!r} is no model name: use a-z, 0-9, dot, hyphen and underscore."
            )
        clinic = _clinic(options["clinic"])
        try:
            for path in self.files(options):
                scanning.check_file(path, clinic=clinic)
            imported = self.read(options)
            state = imported.parts.arranged(imported.labels)
            version, is_new = model_import.register_import(
                state, _manifest(imported, options), clinic=clinic, half=options["half"]
            )
        except ModelRejected as error:
            raise CommandError(error.message) from error
        except scanning.Infected as error:
            raise CommandError(error.words) from error
        except scanning.NotScanned as error:
            raise CommandError(str(error)) from error
        except UnicodeEncodeError as error:
            raise CommandError("An option has characters that are no text.") from error
        except MemoryError as error:
            raise CommandError(
                "There is not enough memory to read the network and run it once. Nothing was stored; do it where there "
                "is more, or when less else is at work."
            ) from error
        except OSError as error:
            raise CommandError(f"The model cannot be imported: {error}.") from error
        self.stdout.write(_summary(version, imported, is_new))


def three_numbers(option: str, text: str) -> tuple[float, float, float]:
    """The value of an option with three numbers between commas. Raises CommandError."""
    try:
        first, second, third = map(float, text.split(","))
    except ValueError:
        raise CommandError(f"{option} takes three numbers with commas between, not {text!r}.") from None
    return first, second, third


def preprocessing(**values) -> Preprocessing:
    """Preprocessing with these values; ModelRejected where they are wrong."""
    try:
        return Preprocessing(**values)
    except ValueError as error:
        raise ModelRejected("bad_preprocessing", f"The preprocessing is wrong: {error}.") from error


def _clinic(slug: str | None) -> Clinic | None:
    if slug is None:
        return None
    clinic = Clinic.objects.filter(slug=slug).first()
    if clinic is None:
        there_are = ", ".join(Clinic.objects.order_by("slug").values_list("slug", flat=True)) or "none"
        raise CommandError(f"There is no clinic {slug!r}; there are: {there_are}.")
    return clinic


def _manifest(imported: Imported, options: dict) -> Manifest:
    return Manifest(
        name=options["name"],
        architecture=imported.architecture,
        preprocessing=imported.preprocessing,
        background_classes=imported.labels.background,
        trained_on=options["trained_on"],
        trained_at=options["trained_at"],
        validated_on={"text": options["validated_on"]},
        licence=options["licence"],
        intended_use=options["intended_use"],
        limits=options["limits"],
        maps=imported.maps,
        metrics={"imported_from": model_import.source_files(*imported.files)},
    )


def _summary(version: ModelVersion, imported: Imported, is_new: bool) -> str:
    how = imported.preprocessing
    mean = ", ".join(f"{255 * value:.4g}" for value in how.mean)
    lines = [
        f"{version.name} ({version.architecture}, {version.weights_sha256[:12]})"
        + ("" if is_new else ": these weights were registered before"),
        f"  outputs: 12 diseases and {len(imported.labels.background)} background classes",
        f"  input: {how.input_size} x {how.input_size}, less a mean of {mean} ({how.channel_order} from 0 to 255)",
    ]
    if is_new:
        lines.append("  No clinic uses it yet: an admin publishes it on the page Models.")
    return "\n".join(lines)
