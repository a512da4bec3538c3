# shellcheck shell=bash
# Files below a prefix that are ours: put there together, known by a manifest, and removed again. Sourced, with
# setup.sh.

# What is to be installed: modes, sources, and places below the prefix.
MODES=()
SOURCES=()
PLACES=()
# The list of what is installed, below the prefix.
MANIFEST=share/headwater/manifest.txt

# put MODE SOURCE PLACE : one file of what install_into installs.
put() {
    [[ -f $2 ]] || die "$2 is not there: it was to be installed as $3"
    MODES+=("$1") SOURCES+=("$2") PLACES+=("$3")
}

# install_into PREFIX : installs what was put, and removes what an earlier manifest has and this one has not.
install_into() {
    local prefix=$1 earlier places place i
    earlier=$(manifest_of "$prefix")
    # Searched as text and not through a pipe: a reader that stops early fails the pipe, and what is there would count
    # as missing.
    places=$(printf '%s\n' "${PLACES[@]}")
    for place in "${PLACES[@]}"; do
        [[ ! -e $prefix/$place ]] || grep -qxF "$place" <<<"$earlier" ||
            die "$prefix/$place is there already, and not from here: move it away, or give another --prefix"
    done
    mkdir -p "$prefix/$(dirname "$MANIFEST")" || die "$prefix cannot be written: give another --prefix"
    # First the list, then the files: what was interrupted can be run again, and removed.
    write_manifest "$prefix" "$earlier" "${PLACES[@]}"
    for i in "${!PLACES[@]}"; do
        install -D -m "${MODES[i]}" "${SOURCES[i]}" "$prefix/${PLACES[i]}"
    done
    while read -r place; do
        [[ -z $place ]] || grep -qxF "$place" <<<"$places" || remove_file "$prefix" "$place"
    done <<<"$earlier"
    write_manifest "$prefix" "${PLACES[@]}"
    say "${#PLACES[@]} files are in $prefix: see $prefix/$MANIFEST"
}

# uninstall_from PREFIX : removes every file of the manifest, the manifest, and folders that are empty then.
uninstall_from() {
    local prefix=$1 earlier place
    [[ -e $prefix/$MANIFEST ]] ||
        die "nothing is installed in $prefix: there is no $MANIFEST; where it is, is told by --prefix"
    earlier=$(manifest_of "$prefix")
    while read -r place; do remove_file "$prefix" "$place"; done <<<"$earlier"
    remove_file "$prefix" "$MANIFEST"
    say "$(wc -l <<<"$earlier") files are gone from $prefix; of Python environments: pip uninstall headwater"
}

manifest_of() { [[ ! -e $1/$MANIFEST ]] || cat "$1/$MANIFEST"; }

write_manifest() {
    local prefix=$1
    shift
    printf '%s\n' "$@" | sed '/^$/d' | sort -u >"$prefix/$MANIFEST.new"
    mv "$prefix/$MANIFEST.new" "$prefix/$MANIFEST"
}

remove_file() {
    rm -f "$1/$2"
    (cd "$1" && rmdir -p --ignore-fail-on-non-empty "$(dirname "$2")" 2>/dev/null) || true
}
