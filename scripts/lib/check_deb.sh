# shellcheck shell=bash
# The Debian package in a Debian with its own systemd: installed, started, reloaded, upgraded while it runs, stopped,
# removed, installed again, purged. Sourced by scripts/check-packages, which sets `work`.

UNIT=headwater-storage-server

# expect WHAT COMMAND... : a command that has to succeed.
# shellcheck disable=SC2154
expect() {
    local what=$1
    shift
    "$@" >"$work/said" 2>&1 || { cat "$work/said" >&2; die "the .deb: $what"; }
    say "the .deb: $what"
}

refused() { ! "$@"; }
is() { [[ $(inside systemctl show --value --property "$1" "$UNIT") == "$2" ]]; }
# leftovers ROOT : names what is left below ROOT that has the package's name; fails where nothing is.
leftovers() {
    local left
    left=$(find "$1"/{etc,usr,var} -name '*headwater*' -o -name 'storage-server*')
    printf '%s\n' "$left"
    [[ -n $left ]]
}
main_pid() { inside systemctl show --value --property MainPID "$UNIT"; }

# check_deb SUITE DEB LATER : two packagings of one version.
# shellcheck disable=SC2154
check_deb() {
    local suite=$1 deb=$2 later=$3 root=$work/debian
    make_debian_root "$suite" "$root" ca-certificates libstdc++6
    cp "$deb" "$root/old.deb"
    cp "$later" "$root/new.deb"
    mkdir -p "$root/srv/models"
    cp -r "$work/try/photos" "$root/srv/photos"
    cp "$work/try/extractor.onnx" "$work/try/extractor.toml" "$root/srv/models"
    before_systemd "$root"
    start_container "$root"
    as_a_service
    upgraded
    removed
    stop_container
}

# Where no systemd runs, as while an image is built.
before_systemd() {
    expect "it installs where no systemd runs" chroot "$1" dpkg --install /old.deb
    expect "it is whole" chroot "$1" dpkg --verify headwater
    expect "it is purged where no systemd runs" chroot "$1" dpkg --purge headwater
    expect "a purge leaves nothing" refused leftovers "$1"
}

as_a_service() {
    expect "it installs" inside dpkg --install /old.deb
    expect "the account is there" inside id headwater
    expect "nothing was started" is ActiveState inactive
    expect "nothing was enabled" refused inside systemctl --quiet is-enabled "$UNIT"
    local model=extractor=/srv/models/extractor.onnx,recipe=/srv/models/extractor.toml
    inside sed -i "s|^# model = .*|model = [\"$model\"]|" /etc/headwater/server.toml
    expect "the settings are right" inside storage-server serve --config /etc/headwater/server.toml --check-config
    expect "it starts, and says when it is ready" inside systemctl enable --now "$UNIT"
    expect "it runs" is ActiveState active
    expect "it runs as headwater" is User headwater
    expect "features come from it: ONNX Runtime is there" inside tuner extract --servers 127.0.0.1 --dataset photos \
        --model extractor --out /tmp/features
    expect "it lists anew" inside systemctl reload "$UNIT"
    expect "what it keeps is in its folders" inside test -d /var/cache/headwater -a -d /var/lib/headwater
}

upgraded() {
    local before after
    before=$(main_pid)
    inside cp /etc/headwater/server.toml /tmp/settings
    expect "it is upgraded while it runs" inside dpkg --install /new.deb
    after=$(main_pid)
    [[ $after != 0 && $after != "$before" ]] || die "the .deb: process $before became $after by the upgrade"
    expect "the new version runs" is ActiveState active
    expect "the settings are kept" inside cmp /tmp/settings /etc/headwater/server.toml
    expect "it stops" inside systemctl stop "$UNIT"
    expect "it has stopped well" is Result success
    expect "it is upgraded while it is stopped" inside dpkg --install /new.deb
    expect "it is not started by that" is ActiveState inactive
    expect "it starts again" inside systemctl start "$UNIT"
}

removed() {
    local server
    server=$(main_pid)
    inside touch /var/lib/headwater/labels
    expect "it is removed while it runs" inside dpkg --remove headwater
    expect "the server has ended" refused inside test -e "/proc/$server"
    expect "the unit is gone" is LoadState not-found
    expect "the settings are kept" inside cmp /tmp/settings /etc/headwater/server.toml
    expect "what the server kept is kept" inside test -e /var/lib/headwater/labels
    expect "it installs again" inside dpkg --install /new.deb
    expect "it is enabled as before" inside systemctl --quiet is-enabled "$UNIT"
    expect "it starts with the settings of before" inside systemctl start "$UNIT"
    expect "it is purged while it runs" inside dpkg --purge headwater
    expect "a purge leaves nothing" refused leftovers "$work/debian"
    expect "nothing has failed" inside test -z "$(inside systemctl --failed --no-legend)"
}
