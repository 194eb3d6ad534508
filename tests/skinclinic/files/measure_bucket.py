"""What a bucket and sealing cost beside files of a disk, one after the other in one run:

    python -m tests.skinclinic.files.measure_bucket [FOLDER OF PHOTOS]

Tells milliseconds of processor time and by the clock for a photo with its thumbnail written, and for a thumbnail read,
and how large a photo is where it lies. The bucket is Ceph's radosgw on the same machine, in memory.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

COUNT = 60


def main(folder: str | None) -> None:
    home = tempfile.mkdtemp(prefix="measure-")
    os.environ |= {"SKINCLINIC_HOME": home, "DJANGO_SETTINGS_MODULE": "skinclinic.settings"}
    import django

    django.setup()
    from django.conf import settings

    from skinclinic import imaging
    from skinclinic.backups.sealing import Key
    from skinclinic.files import store
    from tests import bucket, factories

    if folder:
        sent: Iterable[bytes] = (
            path.read_bytes() for path in sorted(Path(folder).rglob("*.[jp][pn]g"))[:COUNT]
        )
    else:
        sent = (factories.jpeg_bytes(seed, 1600, 1200) for seed in range(COUNT))
    sizes, taken = [], []
    for data in sent:
        accepted = imaging.accept(data)
        taken.append((accepted.jpeg, accepted.thumbnail))
        sizes.append((len(data), len(accepted.jpeg), len(accepted.thumbnail)))
    for name, column in zip(("sent", "stored", "thumbnail"), zip(*sizes, strict=True), strict=True):
        print(
            f"{name}: median {statistics.median(column) / 1e3:.0f} kB, mean {statistics.mean(column) / 1e3:.0f} kB"
        )
    with bucket.radosgw() as running:
        address = running.make_bucket()
        settings.PHOTO_STORAGE_KEY_ID, settings.PHOTO_STORAGE_SECRET = bucket.KEY_ID, bucket.SECRET
        for where, sealed in (("", False), ("", True), (address, False), (address, True)):
            settings.PHOTO_STORAGE, settings.PHOTO_KEY = where, Key.new_text() if sealed else ""
            store.save("clinic-0", b"warm")
            keys: list[str] = []

            def write(pair: tuple[bytes, bytes], keys: list[str] = keys) -> None:
                new = [store.new_key("clinic-1"), store.new_key("clinic-1")]
                store.write_together(dict(zip(new, pair, strict=True)))
                keys.append(new[1])

            name = f"{'bucket' if where else 'disk'}{', sealed' if sealed else ''}"
            print(f"{name}: written {_each(write, taken)}; thumbnail read {_each(store.read, keys)}")


def _each(work: Callable, things: list) -> str:
    clocks, began = [], time.process_time()
    for thing in things:
        at = time.perf_counter()
        work(thing)
        clocks.append((time.perf_counter() - at) * 1000)
    processor = (time.process_time() - began) * 1000 / len(things)
    return f"{processor:.1f} ms of processor, {statistics.median(clocks):.1f} ms by the clock"


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
