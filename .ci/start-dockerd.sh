#!/bin/sh
# Gives the tests a container engine on a machine where no service manager starts one.
#
#   start-dockerd.sh start     an engine that already answers is left alone (and stays after the tests)
#   start-dockerd.sh stop      ends the engine that this script started, and no other
#   start-dockerd.sh status    exit code 0 when an engine answers
#
# Every place can be set, so that a second engine can run beside a first:
#   OC_DOCKERD_SOCK (/var/run/docker.sock)  OC_DOCKERD_DATA (/var/lib/docker)  OC_DOCKERD_EXEC (/var/run/docker)
#   OC_DOCKERD_PID (/var/run/oc-dockerd.pid)  OC_DOCKERD_LOG (/var/log/oc-dockerd.log)
#   OC_DOCKERD_NET=none starts it without bridge and packet filter rules.
# Exit codes: 0 done, 1 could not, 2 wrong use.
set -eu

sock=${OC_DOCKERD_SOCK:-/var/run/docker.sock}
data=${OC_DOCKERD_DATA:-/var/lib/docker}
exec_root=${OC_DOCKERD_EXEC:-/var/run/docker}
pid_file=${OC_DOCKERD_PID:-/var/run/oc-dockerd.pid}
log=${OC_DOCKERD_LOG:-/var/log/oc-dockerd.log}

note() { echo "start-dockerd: $*" >&2; }

answers() { docker -H "unix://$sock" version >/dev/null 2>&1; }

# A pid can have gone to another program: it counts only while it is a dockerd with our pid file.
ours() {
    [ -s "$pid_file" ] || return 1
    pid=$(cat "$pid_file")
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ] || return 1
    tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF -- "--pidfile=$pid_file"
}

# Limits need control groups; a bare virtual machine may not have mounted them.
control_groups() {
    grep -qE ' cgroup2? ' /proc/mounts && return 0
    mkdir -p /sys/fs/cgroup
    mount -t cgroup2 cgroup2 /sys/fs/cgroup 2>/dev/null || note "control groups are not mounted: limits may not hold"
}

launch() {
    mkdir -p "$data" "$exec_root" "$(dirname "$sock")" "$(dirname "$pid_file")" "$(dirname "$log")"
    set -- --host="unix://$sock" --data-root="$data" --exec-root="$exec_root" --pidfile="$pid_file" "$@"
    # In a session of its own, with no descriptor of ours: it outlives the shell and holds nothing open.
    setsid dockerd "$@" >>"$log" 2>&1 </dev/null &
    started=$!
    tries=300
    while [ "$tries" -gt 0 ]; do
        if answers; then return 0; fi
        kill -0 "$started" 2>/dev/null || return 1
        sleep 0.2
        tries=$((tries - 1))
    done
    kill "$started" 2>/dev/null || true
    return 1
}

case ${1:-start} in
start)
    if answers; then note "an engine answers on $sock already"; exit 0; fi
    [ "$(id -u)" = 0 ] || { note "only root can start an engine"; exit 1; }
    command -v dockerd >/dev/null || { note "dockerd is not installed (Debian: docker.io iptables)"; exit 1; }
    control_groups
    without_network="--bridge=none --iptables=false --ip-masq=false --ip-forward=false"
    if [ "${OC_DOCKERD_NET:-}" != none ] && launch; then :
    # shellcheck disable=SC2086
    elif launch $without_network; then note "without a network bridge"
    else note "it did not start; last lines of $log:"; tail -n 5 "$log" >&2; exit 1; fi
    note "ready on $sock"
    ;;
stop)
    ours || { note "nothing to stop"; exit 0; }
    kill "$pid"
    tries=150
    while kill -0 "$pid" 2>/dev/null && [ "$tries" -gt 0 ]; do sleep 0.2; tries=$((tries - 1)); done
    if kill -0 "$pid" 2>/dev/null; then note "it does not stop"; exit 1; fi
    rm -f "$pid_file"
    ;;
status) answers ;;
*) note "use start, stop or status"; exit 2 ;;
esac
