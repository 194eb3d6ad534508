#!/bin/sh
# The images of others that the stack is made of, by the digest of their content and not only by a name that moves:
#   sh docker/images.sh > docker/images.env     asks the registry which content each name means today
#   sh docker/images.sh --check                 fails unless docker/images.env has a digest for each of them
# Then give the file to Compose beside docker/.env:
#   docker compose -f docker/compose.yaml --env-file docker/.env --env-file docker/images.env up -d --build
# needs docker with buildx. Without the file Compose takes the names.
set -eu
cd "$(dirname "$0")"
# Wherever Compose or a Dockerfile names one, ${NAME:-image:tag} or ARG NAME=image:tag.
named() {
  { grep -ho '\${[A-Z]*_IMAGE:-[^}]*}' compose.yaml | sed 's/^\${//; s/}$//; s/:-/ /'
    grep -ho '^ARG [A-Z]*_IMAGE=.*' ./*.Dockerfile | sed 's/^ARG //; s/=/ /'; } | sort -u
}
if [ "${1:-}" = "--check" ]; then
  named | while read -r name image; do
    if ! grep -Eqx "$name=$image@sha256:[0-9a-f]{64}" images.env 2>/dev/null; then
      echo "docker/images.env has no digest of $image ($name): sh docker/images.sh > docker/images.env" >&2
      exit 1
    fi
  done
  exit
fi
named | while read -r name image; do
  digest=$(docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$image")
  case $digest in
    sha256:*) echo "$name=$image@$digest" ;;
    *) echo "no digest of $image: $digest" >&2; exit 1 ;;
  esac
done
