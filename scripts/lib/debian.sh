# shellcheck shell=bash
# The Debian package: a folder with its files, of deploy/debian and of what is built, made into one file. Sourced, with
# setup.sh.
#
# Not by cargo-deb: a package of three crates' programs, a library that no crate builds and pages that the programs
# print would have to be spelled out to it file by file, and it takes minutes to build where dpkg-deb is there.

# need_deb_tools : what makes a Debian package.
need_deb_tools() {
    command -v dpkg-deb >/dev/null || die "a .deb is made on Debian or Ubuntu: name the other packages, such as wheel"
    need_packages dpkg-dev
}

# stage_deb BIN SHARE ROOT : the package's files in ROOT. SHARE is what make_pages has made.
stage_deb() {
    local bin=$1 share=$2 root=$3 doc=$3/usr/share/doc/headwater file
    for file in storage-server tuner profiler; do install -D -m 755 "$bin/$file" "$root/usr/bin/$file"; done
    for file in .venv/lib/python3*/site-packages/onnxruntime/capi/libonnxruntime.*; do
        install -D -m 644 "$file" "$root/usr/lib/headwater/$(basename "$file")"
    done
    deb_unit | install -D -m 644 /dev/stdin "$root/usr/lib/systemd/system/headwater-storage-server.service"
    install -D -m 644 deploy/debian/server.toml "$root/etc/headwater/server.toml"
    install -d "$root/usr/share/zsh"
    cp -r "$share"/{bash-completion,fish,man} "$root/usr/share"
    # Where Debian's zsh looks.
    cp -r "$share/zsh/site-functions" "$root/usr/share/zsh/vendor-completions"
    gzip -9n "$root"/usr/share/man/man1/*.1
    install -D -m 644 deploy/debian/copyright "$doc/copyright"
    for file in README.md CHANGELOG.md THIRD-PARTY-NOTICES; do gzip -9nc "$file" >"$doc/$file.gz"; done
    for file in .venv/lib/python3*/site-packages/onnxruntime/{LICENSE,ThirdPartyNotices.txt}; do
        install -D -m 644 "$file" "$doc/onnxruntime/$(basename "$file")"
    done
    for file in server.toml kubernetes/storage-server.yaml kubernetes/trainer.yaml; do
        install -D -m 644 "deploy/$file" "$doc/examples/$file"
    done
    # The umask of whoever runs this is none of the package's.
    chmod -R u=rwX,go=rX "$root"
}

# deb_unit : the unit of deploy/systemd, for programs in /usr/bin and the package's account.
deb_unit() {
    sed -e '1,/^\[Unit\]/{/^#/d}' -e 's#/usr/local/bin/#/usr/bin/#' -e 's/^DynamicUser=yes$/User=headwater/' \
        deploy/systemd/headwater-storage-server.service
}

# make_deb ROOT VERSION OUT : the package of the files in ROOT; prints where it is.
make_deb() {
    local root=$1 version=$2 out=$3 architecture depends size made maintainer control
    maintainer=$(deb_maintainer)
    architecture=$(dpkg --print-architecture)
    size=$(du -sk --apparent-size "$root" | cut -f1)
    # First: by it is known that the files below belong to one package.
    install -d -m 755 "$root/DEBIAN"
    depends=$(shared_libraries "$root")
    control=$(<deploy/debian/control)
    control=${control//@VERSION@/"$version"} control=${control//@ARCHITECTURE@/"$architecture"}
    control=${control//@SIZE@/"$size"} control=${control//@DEPENDS@/"$depends"}
    printf '%s\n' "${control//@MAINTAINER@/"$maintainer"}" >"$root/DEBIAN/control"
    printf '/etc/headwater/server.toml\n' >"$root/DEBIAN/conffiles"
    install -m 755 deploy/debian/{postinst,prerm,postrm} "$root/DEBIAN"
    deb_changelog "$version" "$maintainer" | gzip -9n >"$root/usr/share/doc/headwater/changelog.Debian.gz"
    chmod 644 "$root/usr/share/doc/headwater/changelog.Debian.gz"
    (cd "$root" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
    chmod 644 "$root"/DEBIAN/{control,conffiles,md5sums}
    made=$out/headwater_${version}_$architecture.deb
    dpkg-deb --root-owner-group --build "$root" "$made" >/dev/null
    printf '%s\n' "$made"
}

# Who answers for the package: DEB_MAINTAINER, else whom git knows.
deb_maintainer() {
    local name email
    name=$(git config user.name) email=$(git config user.email) || true
    [[ -n ${DEB_MAINTAINER:-} || (-n $name && -n $email) ]] ||
        die "a .deb names who maintains it: set DEB_MAINTAINER='Name <address>', or git's user.name and user.email"
    printf '%s\n' "${DEB_MAINTAINER:-$name <$email>}"
}

# deb_changelog VERSION MAINTAINER : the packaging's own changelog, which points to what changed in the programs.
deb_changelog() {
    printf 'headwater (%s) unstable; urgency=medium\n\n' "$1"
    printf '  * What changed is in CHANGELOG.md.gz, beside this file.\n\n'
    printf ' -- %s  %s\n' "$2" "$(LC_ALL=C date --utc --rfc-email --date="@$SOURCE_DATE_EPOCH")"
}

# shared_libraries ROOT : the packages of the shared libraries that the programs and ONNX Runtime are linked with, and
# from which versions on these have what is used.
shared_libraries() {
    local root work depends
    root=$(realpath "$1")
    work=$(mktemp -d)
    mkdir "$work/debian"
    printf 'Source: headwater\n\nPackage: headwater\nArchitecture: any\n' >"$work/debian/control"
    depends=$(cd "$work" && dpkg-shlibdeps -O --warnings=0 "$root"/usr/bin/* "$root"/usr/lib/headwater/lib*)
    rm -r "$work"
    printf '%s\n' "${depends#shlibs:Depends=}"
}
