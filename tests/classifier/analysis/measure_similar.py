"""How long a search among many proven photos takes, freshness and rights included: the whole service.

    python -m tests.classifier.analysis.measure_similar [COUNT] [FOLDER|seed|even]

on SQLite; after `python -m tests.servers python` on PostgreSQL. Writes COUNT (200,000) proven photos of a clinic with
features of 1,280 numbers to a home of its own in the temporary folder: mixtures of what the shipped model makes of the
photos of FOLDER, each number a tenth off ("seed", without photos: of 1,000 vectors of 60 dimensions; "even": from as
many dimensions as there are, for which no sketch can do much), makes the database's statistics, and prints
milliseconds of the clock and of this process's processor time: the first search of a process, later ones, the one after
another photo is proven no more; and that the photos are those that comparing all gives.
"""

import os
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    kind = sys.argv[2] if len(sys.argv) > 2 else "seed"
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"SKINCLINIC_HOME": home, "DJANGO_SETTINGS_MODULE": "skinclinic.settings", "DEBUG": "1"}
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        measure(count, kind, Path(home))


def vectors(count: int, kind: str):
    """float16 [count, 1280], a part at a time: not negative, two thirds of them 0, as pooled features are."""
    import numpy as np

    random = np.random.default_rng(0)
    if kind in ("seed", "even"):
        dimensions = random.normal(0, 60**-0.5, (60, 1280))
        others = np.maximum(random.normal(0, 1, (1000, 60)) @ dimensions - 0.4, 0).astype(np.float32)
    else:
        others = photographed(Path(kind))
    for start in range(0, count, 5000):
        size = min(5000, count - start)
        if kind == "even":
            part = np.maximum(random.normal(-0.4, 1, (size, 1280)), 0)
        else:
            shares = random.dirichlet([1, 1, 1], size).astype(np.float32)
            of = others[random.integers(0, len(others), (size, 3))]
            part = (of * shares[:, :, None]).sum(axis=1) * random.normal(1, 0.1, (size, 1280))
        yield start, np.maximum(part, 0).astype(np.float16)


def photographed(folder: Path):
    """float32 [n, 1280]: what the shipped model makes of the middle squares of a folder's photos."""
    import numpy as np
    from django.conf import settings

    from classifier.analysing import photo_files
    from classifier.runtimes import open_runtime

    shipped = Path(settings.BASE_DIR, "classifier/shipped/skinclinic-demo")
    runtime = open_runtime(shipped, cache_dir=Path(os.environ["SKINCLINIC_HOME"], "cache"), prefer="cpu")
    done = photo_files.classify(photo_files.find([str(folder)]), runtime)
    return np.stack([np.float32(one.outcome.features) for one in done if one.outcome])


def measure(count: int, kind: str, home: Path) -> None:
    import numpy as np
    from django.db import connection
    from django.utils import timezone

    from classifier.analysing import nearest
    from classifier.models import Analysis, ModelVersion, PhotoFeatures
    from classifier.services.similar import neighbours
    from skinclinic.archive.models import Entry, Source
    from skinclinic.models import Clinic, Lesion, Photo

    clinic = Clinic.objects.create(name="Large", slug="large")
    source = Source.objects.create(clinic=clinic, name="Large")
    model = ModelVersion.objects.create(
        name="m", folder="m", architecture="x", weights_sha256="", manifest={}
    )
    kept = []
    for start, part in vectors(count + 20, kind):
        keys = range(start + 1, start + len(part) + 1)
        Lesion.objects.bulk_create([Lesion(pk=n, clinic=clinic, is_archived=True) for n in keys])
        Photo.objects.bulk_create(
            [
                Photo(
                    pk=n,
                    clinic=clinic,
                    lesion_id=n,
                    sha256=f"{n:064d}",
                    width=512,
                    height=512,
                    source_format="JPEG",
                )
                for n in keys
            ]
        )
        # The last 20 are asked about.
        proven = [n for n in keys if n <= count]
        Entry.objects.bulk_create(
            [
                Entry(
                    clinic=clinic, photo_id=n, source=source, external_id=str(n), label="bcc", is_proven=True,
                    review="accepted", content_sha256="",
                )
                for n in proven
            ]
        )  # fmt: skip
        PhotoFeatures.objects.bulk_create(
            [
                PhotoFeatures(
                    clinic=clinic, photo_id=n, model_version=model, box_x=0, box_y=0, box_size=512,
                    values=row.astype("<f2").tobytes(),
                )
                for n, row in zip(keys, part, strict=True)
            ]
        )  # fmt: skip
        kept.append(part)
    every = np.concatenate(kept)
    # As a day later: what is a few minutes old is read again before each search.
    PhotoFeatures.objects.update(created_at=timezone.now() - timedelta(days=1))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
    asked = [
        Analysis(
            clinic=clinic,
            photo=photo,
            model_version=model,
            box_x=0,
            box_y=0,
            box_size=512,
            scores={},
            quality={},
        )
        for photo in Photo.objects.filter(pk__gt=count).select_related("lesion")
    ]
    seconds, own, first = [], [], 0.0
    for number, row in enumerate(asked):
        started, before = time.perf_counter(), time.process_time()
        found = neighbours.of_analysis(row)
        took = time.perf_counter() - started
        if number:
            seconds.append(took)
            own.append(time.process_time() - before)
        else:
            first = took
        (query,) = nearest.unit(every[row.photo_id - 1][None])
        distances = np.concatenate(
            [np.square(nearest.unit(part) - query).sum(axis=1) for part in np.array_split(every[:count], 50)]
        )
        expected = np.argsort(distances, kind="stable")[: neighbours.SHOWN] + 1
        assert [one.entry.photo_id for one in found.neighbours] == expected.tolist()
    Entry.objects.filter(pk=Entry.objects.first().pk).update(is_proven=False)
    started = time.perf_counter()
    neighbours.of_analysis(asked[0])
    changed = time.perf_counter() - started
    print(
        f"{connection.vendor}, {count} photos ({kind}): first search {first:.1f} s; later ones median "
        f"{np.median(seconds) * 1e3:.0f} ms, at most {max(seconds) * 1e3:.0f} ms, of which this process computes "
        f"{np.median(own) * 1e3:.0f}; after a change {changed:.2f} s; all exact"
    )


if __name__ == "__main__":
    main()
