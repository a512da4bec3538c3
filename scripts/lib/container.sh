# shellcheck shell=bash
# A small Debian with its own systemd, in namespaces of this machine, without a network. Sourced, with setup.sh. Needs
# root.

# The process id of what holds the container, and of its init.
CONTAINER=
INIT=

# make_debian_root SUITE ROOT PACKAGE... : a Debian in the folder ROOT, with systemd and these packages.
make_debian_root() {
    local suite=$1 root=$2 packages
    shift 2
    packages=$(IFS=,; printf '%s' "systemd-sysv,dbus,adduser,$*")
    say "making a Debian ($suite) with ${packages//,/, }"
    debootstrap --variant=minbase --include="$packages" "$suite" "$root" >"$root.log" 2>&1 ||
        { tail -n 20 "$root.log" >&2; die "debootstrap failed"; }
}

# start_container ROOT : boots it, and waits until it is up.
start_container() {
    local tries
    systemd-nspawn --quiet --register=no --keep-unit --private-network --directory="$1" --boot >"$1.boot" 2>&1 &
    CONTAINER=$!
    for ((tries = 0; tries < 600; tries++)); do
        kill -0 "$CONTAINER" 2>/dev/null || { tail -n 20 "$1.boot" >&2; die "the container did not start"; }
        INIT=$(cut -d' ' -f1 "/proc/$CONTAINER/task/$CONTAINER/children" 2>/dev/null || true)
        [[ -n $INIT ]] && inside systemctl is-system-running 2>/dev/null | grep -qx running && return
        sleep 0.2
    done
    tail -n 20 "$1.boot" >&2
    die "the container is not up after two minutes"
}

# inside COMMAND... : runs a command in the container.
inside() { nsenter --target "$INIT" --mount --uts --ipc --net --pid -- "$@"; }

# Ends the container, as a shutdown does.
stop_container() {
    [[ -n $CONTAINER ]] || return 0
    inside systemctl poweroff >/dev/null 2>&1 || kill "$CONTAINER" 2>/dev/null || true
    wait "$CONTAINER" 2>/dev/null || true
    CONTAINER=
}
