#!/usr/bin/env bash
# Follows docs/systemd.md word for word in an empty Debian, and says how long each step took:
#   tests/docker/on_debian.sh FOLDER [SOURCE [STEPS]]
# As root, with debootstrap. FOLDER becomes the machine; SOURCE is where the program is cloned from (this checkout).
# STEPS ("7 8"): those alone, on a machine that has the others behind it.
# No systemd runs in it: on_debian_systemctl.py starts what systemd would.
set -euo pipefail
folder=$1
here=$(cd "$(dirname "$0")/../.." && pwd)
source=${2:-$here}
mkdir -p "$folder"
[ -e "$folder/bin/sh" ] || debootstrap --variant=minbase bookworm "$folder" http://deb.debian.org/debian
leave() {
  chroot "$folder" /usr/local/bin/systemctl kill >/dev/null 2>&1 || true
  for place in proc dev/shm dev opt/source opt/wheels; do
    mountpoint -q "$folder/$place" && umount -l "$folder/$place"
  done
}
trap leave EXIT
mkdir -p "$folder/opt/source" "$folder/etc/ssl"
mount --bind /proc "$folder/proc"
mount --bind /dev "$folder/dev"
mount -t tmpfs -o mode=1777 tmpfs "$folder/dev/shm"
mount --bind "$source" "$folder/opt/source"
# What this machine reaches the package index with, where it needs anything.
cp /etc/resolv.conf /etc/hosts "$folder/etc/"
cp "${PIP_CERT:-/etc/ssl/certs/ca-certificates.crt}" "$folder/etc/ssl/of-this-machine.crt"
if [ -d /opt/wheels ]; then mkdir -p "$folder/opt/wheels" && mount --bind /opt/wheels "$folder/opt/wheels"; fi
install -m 755 "$here/tests/docker/on_debian_systemctl.py" "$folder/usr/local/bin/systemctl.py"
printf '#!/bin/sh\nexec python3 /usr/local/bin/systemctl.py "$@"\n' > "$folder/usr/local/bin/systemctl"
chmod 755 "$folder/usr/local/bin/systemctl"
printf '#!/bin/sh\nexit 101\n' > "$folder/usr/sbin/policy-rc.d"
chmod 755 "$folder/usr/sbin/policy-rc.d"

in_it() {
  chroot "$folder" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive ${PIP_FIND_LINKS:+PIP_FIND_LINKS=$PIP_FIND_LINKS} PIP_CERT=/etc/ssl/of-this-machine.crt \
    GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*' \
    SKINCLINIC_SOURCE=/opt/source SKINCLINIC_HOST=localhost SKINCLINIC_ADMIN=ada bash -c "$1"
}
began=$SECONDS
steps=${3:-1 2 3 4 5 6 7 8}
case $steps in
  1*) ;;
  *) in_it "service postgresql start; service redis-server start; service nginx start; systemctl start skinclinic.target" ;;
esac
for step in $steps; do
  since=$SECONDS
  commands=$(awk -v step="$step" '/^## /{on = ($2 == step ".")} on && /^    /{print substr($0, 5)}' "$here/docs/systemd.md")
  # Debian's own database has to be there before a user is made in it; with systemd the package starts it.
  [ "$step" = 4 ] && in_it "service postgresql start"
  [ "$step" = 6 ] && commands="printf 'a-long-enough-password-7\n' > /root/said; ${commands/skinclinic create_clinic/< \/root\/said skinclinic create_clinic}"
  # What is mounted from elsewhere, and a line that is written into the settings.
  [ "$step" = 7 ] && in_it "install -d -m 700 -o skinclinic -g skinclinic /mnt/backups"
  [ "$step" = 8 ] && commands=$(sed "s#^DICOM_RECEIVE=.*#echo '&' >> /etc/skinclinic/environment#" <<< "$commands")
  # A certificate that nobody signed is a failure to it, and rightly.
  commands=${commands/%skinclinic doctor/skinclinic doctor || true}
  echo "== step $step"
  in_it "set -euxo pipefail; $commands"
  case $step in
    # As its timer does at night: it adds to the one that was begun.
    7)
      in_it "set -ex; systemctl start skinclinic-backup
        skinclinic backup /mnt/backups --key-file /etc/skinclinic/backup.key --verify
        test \$(skinclinic backup /mnt/backups --key-file /etc/skinclinic/backup.key --list | grep -c '^20') = 2"
      ;;
    8) in_it "for _try in \$(seq 60); do (exec 3<>/dev/tcp/127.0.0.1/11112) 2>/dev/null && exit; sleep 1; done; exit 1" ;;
  esac
  echo "== step $step: $((SECONDS - since)) s"
done
for _try in $(seq 60); do
  curl --silent --fail --cacert "$folder/etc/nginx/tls/tls.crt" https://localhost/healthz >/dev/null && break
  sleep 1
done
page=$(curl --silent --fail --cacert "$folder/etc/nginx/tls/tls.crt" https://localhost/login/)
grep -q 'name="password"' <<< "$page"
echo "== it answers after $((SECONDS - began)) s"
