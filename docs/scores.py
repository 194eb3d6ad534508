"""What ``manage.py classify --json`` writes, as the table of scores that ``study_report`` and *Replay from files* read:
a row a photo, named by its file, and a column for each of the 12 diseases.

    python manage.py classify PHOTOS --model NAME --json | python docs/scores.py > scores.csv
"""

import csv
import json
import sys
from pathlib import PurePath

entries = json.load(sys.stdin)
failed = [entry["path"] for entry in entries if not entry["scores"]]
for path in failed:
    print(f"not classified: {path}", file=sys.stderr)
scored = [entry for entry in entries if entry["scores"]]
if scored:
    diseases = list(scored[0]["scores"])
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(["image", *diseases])
    for entry in scored:
        table.writerow([PurePath(entry["path"]).name, *(repr(entry["scores"][key]) for key in diseases)])
sys.exit(1 if failed or not scored else 0)
