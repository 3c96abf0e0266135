#!/bin/sh
# Makes the gateway's image from Debian packages and two programs, without any image registry. Needs root, debootstrap and docker.
#
#   sh docs/docker/image.sh target/release [openclaw-gateway:local]
#
# ROOTFS=DIR  keeps the base system there and uses it again.
# MIRROR=URL  where packages come from (default: what debootstrap takes).
# DOCKER=...  the engine's command (default: docker).
set -eu

programs=${1:?usage: image.sh DIRECTORY-OF-PROGRAMS [IMAGE]}
image=${2:-openclaw-gateway:local}
docker=${DOCKER:-docker}
case $image in -* | *[!a-zA-Z0-9._:/-]* | '') echo "image.sh: $image is no image name" >&2 && exit 2 ;; esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
base=${ROOTFS:-$work/base}

if [ ! -x "$base/bin/sh" ]; then
    echo "image.sh: installing a base system; this takes a minute or two" >&2
    debootstrap --variant=minbase --include=ca-certificates bookworm "$base" ${MIRROR:+"$MIRROR"} >&2
    # Caches, documentation and logs; the directories stay.
    for folder in var/cache/apt var/lib/apt/lists usr/share/doc usr/share/man usr/share/locale var/log; do
        find "$base/$folder" -type f -delete 2>/dev/null || true
    done
fi

# On top of the base: who runs it, what runs, where it writes.
top=$work/top
mkdir -p "$top/etc" "$top/usr/local/bin" "$top/state"
grep -v '^openclaw:' "$base/etc/passwd" > "$top/etc/passwd"
grep -v '^openclaw:' "$base/etc/group" > "$top/etc/group"
echo 'openclaw:x:10001:10001::/state:/usr/sbin/nologin' >> "$top/etc/passwd"
echo 'openclaw:x:10001:' >> "$top/etc/group"
for program in openclaw openclaw-gateway; do
    if [ -f "$programs/$program" ]; then
        install -m 0755 "$programs/$program" "$top/usr/local/bin/$program"
    else
        echo "image.sh: there is no $programs/$program; the image goes without" >&2
    fi
done
[ -x "$top/usr/local/bin/openclaw" ] || exit 1
chmod 0755 "$top" "$top/etc" "$top/usr" "$top/usr/local" "$top/usr/local/bin"
chmod 0644 "$top/etc/passwd" "$top/etc/group"
chmod 0700 "$top/state"

# The engine takes no name twice.
tar --numeric-owner --one-file-system --anchored --exclude=./etc/passwd --exclude=./etc/group --exclude=./usr/local/bin \
    -C "$base" -cf "$work/image.tar" .
tar --numeric-owner --owner=0 --group=0 -C "$top" -rf "$work/image.tar" ./etc/passwd ./etc/group ./usr/local/bin
tar --numeric-owner --owner=10001 --group=10001 -C "$top" -rf "$work/image.tar" ./state

$docker import \
    --change 'USER 10001:10001' \
    --change 'WORKDIR /state' \
    --change 'VOLUME /state' \
    --change 'EXPOSE 18789' \
    --change 'ENV HOME=/state' \
    --change 'ENV OPENCLAW_STATE_DIR=/state' \
    --change 'ENV OPENCLAW_DISABLE_BONJOUR=1' \
    --change 'ENV PATH=/usr/local/bin:/usr/bin:/bin' \
    --change 'ENTRYPOINT ["openclaw-gateway"]' \
    "$work/image.tar" "$image" >/dev/null
echo "$image"
