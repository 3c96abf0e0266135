#!/bin/sh
# Runs the gateway's image the way it is meant to run: not as root, nothing writable but the state, no privileges, no engine socket.
#
#   sh docs/docker/run.sh setup       a first configuration in the state volume, with a generated token
#   sh docs/docker/run.sh serve       the gateway, on 127.0.0.1:18789 of this machine
#   sh docs/docker/run.sh openclaw security audit      any command on the same state, without a network
#
# IMAGE, STATE (a volume's name or an absolute directory), PORT, NAME, DOCKER change what is used. ARGS are further arguments of
# `docker run`, such as `--label me=1`.
set -eu

docker=${DOCKER:-docker}
image=${IMAGE:-openclaw-gateway:local}
state=${STATE:-openclaw-state}
port=${PORT:-18789}

# Only the gateway itself has a network.
network=none

# $1: the program; the rest are its arguments.
run() {
    program=$1
    shift
    # shellcheck disable=SC2086
    $docker run --rm \
        --read-only --tmpfs /tmp:rw,noexec,nosuid,nodev,size=64m,mode=1777 \
        --cap-drop ALL --security-opt no-new-privileges --pids-limit 512 --memory 1g \
        --user 10001:10001 --init --stop-timeout 10 --network "$network" \
        -v "$state:/state" ${ARGS:-} --entrypoint "$program" "$image" "$@"
}

case ${1:-} in
setup)
    run openclaw onboard --secure
    # Inside, loopback is the container's own: the gateway listens on the container's address, and only 127.0.0.1 of this machine is led
    # there. Guessing is slowed down, the console answers to its own address, and no channel is open that nobody asked for.
    run openclaw config set gateway.bind lan
    run openclaw config set gateway.auth.rateLimit '{}'
    run openclaw config set gateway.controlUi.allowedOrigins "[\"http://127.0.0.1:$port\"]"
    run openclaw config unset channels.whatsapp
    ;;
serve)
    shift
    network=${NETWORK:-bridge}
    ARGS="${ARGS:-} --name ${NAME:-openclaw-gateway} -p 127.0.0.1:$port:18789"
    run openclaw-gateway "$@"
    ;;
openclaw)
    shift
    run openclaw "$@"
    ;;
*)
    sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
