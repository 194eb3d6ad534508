#!/bin/sh
# Writes the two lists that the images install, every package with its hashes, from what requirements-*.txt ask for:
#   sh docker/lock.sh
# OpenVINO runs without its telemetry, which would tell its maker of every import; the images do not have it.
# Needs uv (https://docs.astral.sh/uv) and the package index. `-c FILE` keeps to versions that were tested.
set -eu
cd "$(dirname "$0")"
for image in web worker; do
  uv pip compile "requirements-$image.txt" --output-file "requirements-$image.lock" --universal --python-version 3.11 \
    --no-emit-package openvino-telemetry --generate-hashes --no-annotate --no-header --quiet "$@"
done
