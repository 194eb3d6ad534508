#!/bin/sh
# From somebody else's archive to an evaluated model, without a browser and without a worker: run it in the root of the
# repository, with SKINCLINIC_HOME and DATABASE_URL as the server has them. Every command can be run again.
#
#   NAME="My archive" PHOTOS=DIR TABLE=FILE WHO=curator sh docs/import-to-evaluation.sh
#
# Also: FORMAT (csv, pad-ufes-20 …), MAP (a mapping, see docs/commands.md), SEARCH, SHARE of training, INIT and ARCH of the
# network, STEPS (0: all epochs), OUT (a folder), PYTHON.
set -eu
FORMAT=${FORMAT:-pad-ufes-20} SHARE=${SHARE:-0.8} OUT=${OUT:-evaluation} PYTHON=${PYTHON:-.venv/bin/python}
manage() { "$PYTHON" manage.py "$@"; }

# Checked as a whole, then written. With --dry-run it only says what would change.
manage import_dataset "$NAME" --photos "$PHOTOS" --metadata "$TABLE" --format "$FORMAT" --user "$WHO" ${MAP:+--map "$MAP"}

# A dataset of a search. "any": also photos nobody has reviewed, as those of a fresh import.
manage dataset make "$NAME tumours" --search "${SEARCH:-source:\"$NAME\" -tag:pen_marks}" --review any --user "$WHO"

# Training and test: no patient is on both sides.
manage dataset split "$NAME tumours" --method patient --share "$SHARE" --seed 1

# What may fail is named; anything else stops the script here.
manage dataset check "$NAME tumours" --minimum 1 --allow reviewed --allow near --allow undecided

# Every file is read, then nothing changes any more.
manage dataset freeze "$NAME tumours" --user "$WHO"
mkdir -p "$OUT"
manage dataset compare "$NAME tumours" --csv "$OUT/dataset.csv"

manage train --dataset "$NAME tumours" --name "${MODEL:-my-model}" --user "$WHO" --arch "${ARCH:-efficientnet_lite0}" \
    --init "${INIT:-imagenet}" --max-steps "${STEPS:-0}"
manage evaluate --model "${MODEL:-my-model}" --dataset "$NAME tumours" --user "$WHO" --out "$OUT"
