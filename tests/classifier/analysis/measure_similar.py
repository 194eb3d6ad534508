"""How long a search among many proven photos takes, freshness and rights included: the whole service, on SQLite.

    python -m tests.classifier.analysis.measure_similar [COUNT] [seed|even]

Writes COUNT (200,000) proven photos of a clinic with features of 1,280 numbers to a home of its own in the temporary
folder: mixtures of 1,000 others ("seed"), as photos of few kinds of lesions are, or drawn evenly from as many
dimensions ("even"), for which no sketch can do much. Prints seconds: the first search of a process, later ones, the one
after another photo was proven; and that the photos are those that comparing all gives.
"""

import os
import sys
import tempfile
import time
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
    others = np.maximum(random.normal(-0.4, 1, (1000, 1280)), 0).astype(np.float32)
    for start in range(0, count, 5000):
        size = min(5000, count - start)
        if kind == "even":
            part = np.maximum(random.normal(-0.4, 1, (size, 1280)), 0)
        else:
            shares = random.dirichlet([1, 1, 1], size).astype(np.float32)
            of = others[random.integers(0, len(others), (size, 3))]
            part = (of * shares[:, :, None]).sum(axis=1) * random.normal(1, 0.1, (size, 1280))
        yield start, np.maximum(part, 0).astype(np.float16)


def measure(count: int, kind: str, home: Path) -> None:
    import numpy as np

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
    seconds, first = [], 0.0
    for number, row in enumerate(asked):
        started = time.perf_counter()
        found = neighbours.of_analysis(row)
        took = time.perf_counter() - started
        if number:
            seconds.append(took)
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
    print(
        f"{count} photos ({kind}): first search {first:.1f} s; later ones median {np.median(seconds) * 1e3:.0f} ms, "
        f"at most {max(seconds) * 1e3:.0f} ms; after a change {time.perf_counter() - started:.2f} s; all exact"
    )


if __name__ == "__main__":
    main()
