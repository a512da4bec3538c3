# shellcheck shell=bash
# What demo, test and bench have in common: missing Debian packages, the virtual environment, the build.
# Sourced, with the repository's root as working directory.

say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# beside NAME COMMAND... : runs a command beside what follows, in a process group of its own, so that signals reach its
# children as they would in the foreground. What it says comes when it is joined. Needs `trap stop_beside EXIT`.
declare -A BESIDE
beside() {
    local name=$1
    shift
    BESIDE[$name.log]=$(mktemp)
    set -m
    "$@" >"${BESIDE[$name.log]}" 2>&1 </dev/null &
    set +m
    BESIDE[$name]=$!
}

# joined NAME : waits for what runs beside, prints what it said, and fails as it did.
joined() {
    local name=$1 status=0
    wait "${BESIDE[$name]}" || status=$?
    cat "${BESIDE[$name.log]}" >&2
    rm -f "${BESIDE[$name.log]}"
    unset "BESIDE[$name]" "BESIDE[$name.log]"
    return "$status"
}

# Ends what still runs beside, when the script ends before it is joined.
stop_beside() {
    local name
    for name in "${!BESIDE[@]}"; do
        if [[ $name = *.log ]]; then rm -f "${BESIDE[$name]}"; else kill -- "-${BESIDE[$name]}" 2>/dev/null || true; fi
    done
}

# absolute PATH : the caller's path from here; needs `here`, the caller's working directory.
# shellcheck disable=SC2154
absolute() { [[ $1 = /* ]] && printf '%s\n' "$1" || printf '%s\n' "$here/$1"; }

# need_packages NAME... : installs the Debian packages among NAME that are not there.
need_packages() {
    local missing=() package
    command -v dpkg-query >/dev/null || return 0
    for package in "$@"; do
        # Not through a pipe to grep -q: a reader that stops early fails the pipe, and a package that is there would
        # count as missing.
        [[ $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) == *'ok installed'* ]] || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    say "installing ${missing[*]}"
    local as_root=()
    if [[ $(id -u) != 0 ]]; then
        command -v sudo >/dev/null || die "please install these Debian packages as root: ${missing[*]}"
        as_root=(sudo)
    fi
    "${as_root[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${as_root[@]}" \
        apt-get -o DPkg::Lock::Timeout=600 install -y -qq "${missing[@]}" >/dev/null
}

# need_prometheus : Debian's Prometheus, unpacked below target and not installed, since its package starts a service.
# Exports PROMETHEUS_BIN, the folder of its programs. Where there is no apt-get, its tests say that they are left
# out.
need_prometheus() {
    local place=${CARGO_TARGET_DIR:-target}/prometheus
    if [[ ! -x $place/usr/bin/promtool ]]; then
        if ! command -v apt-get >/dev/null; then
            say "there is no apt-get: tests with Prometheus are left out, unless it is on the path"
            return 0
        fi
        say "unpacking Debian's Prometheus into $place (19 MB to download)"
        rm -rf "$place"
        mkdir -p "$place"
        (cd "$place" && { apt-get download -qq prometheus || { need_lists && apt-get download -qq prometheus; } }) ||
            die "apt-get download prometheus did not succeed"
        dpkg -x "$place"/prometheus_*.deb "$place"
        rm "$place"/prometheus_*.deb
    fi
    PROMETHEUS_BIN=$(realpath "$place/usr/bin")
    export PROMETHEUS_BIN
}

# need_lists : the lists of Debian's packages, as they are now.
need_lists() {
    local as_root=()
    [[ $(id -u) == 0 ]] || as_root=(sudo)
    "${as_root[@]}" apt-get update -qq
}

# What turbojpeg's bundled C source is built with.
need_build_tools() {
    command -v cargo >/dev/null || die "Rust is needed: install rustup, then run this again"
    local packages=(cmake nasm make)
    command -v cc >/dev/null || packages+=(gcc g++ libc6-dev)
    need_packages "${packages[@]}"
}

# need_venv DIR : makes a virtual environment.
need_venv() {
    local venv=$1
    command -v python3 >/dev/null || die "Python 3.11 or later with pip is needed"
    if [[ ! -x $venv/bin/python ]]; then
        say "making the virtual environment $venv"
        python3 -m venv "$venv" 2>/dev/null || { rm -rf "$venv"; need_packages python3-venv; python3 -m venv "$venv"; }
    fi
}

# stamp_of DIR FILE : the file in DIR that says that the requirements FILE, as it stands, is installed there.
stamp_of() { printf '%s/%s.%s\n' "$1" "$(basename "$2")" "$(sha256sum "$2" | cut -c1-16)"; }

# pip_install PYTHON ARGUMENT... : pip install, thrice where a download breaks off.
pip_install() {
    local python=$1 try
    shift
    for try in 1 2 3; do
        "$python" -m pip install --quiet --disable-pip-version-check "$@" && return
        ((try == 3)) || { say "pip did not succeed: again in ten seconds"; sleep 10; }
    done
    return 1
}

# need_python FILE : makes .venv with what the requirements FILE pins; does nothing where it is there already.
need_python() {
    local requirements=$1 stamp
    need_venv .venv
    stamp=$(stamp_of .venv "$requirements")
    if [[ ! -e $stamp ]]; then
        say "installing $requirements into .venv"
        pip_install .venv/bin/python -r "$requirements"
        touch "$stamp"
    fi
}

# install_lines VENV FILE SIZE : what the requirements FILE pins, line by line, in a virtual environment of its own. A
# line that does not install is left out, and missing in the table; remove the environment to try it again.
install_lines() {
    local venv=$1 requirements=$2 size=$3 stamp line
    need_venv "$venv"
    stamp=$(stamp_of "$venv" "$requirements")
    [[ ! -e $stamp ]] || return 0
    say "installing $requirements into $venv: $size, minutes"
    while read -r line; do
        read -ra line <<<"${line%%#*}"
        ((${#line[@]})) || continue
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "${line[@]}" ||
            say "${line[*]} does not install here"
    done <"$requirements"
    touch "$stamp"
}

# The peers of scripts/bench image, loader and delta, in .venv-bench (8 GB: the wheels bring CUDA).
need_peers() {
    # SPDL's wheel calls FFmpeg's shared libraries.
    [[ -e $(stamp_of .venv-bench scripts/requirements-bench.txt) ]] || need_packages ffmpeg
    install_lines .venv-bench scripts/requirements-bench.txt "several GB"
}

# The peers of scripts/bench relabel, in .venv-relabel.
need_relabel_peers() { install_lines .venv-relabel scripts/requirements-relabel.txt "1 GB"; }

# The GPU build of ONNX Runtime, in .venv-gpu, for its own programs and for ours: sets GPU_PYTHON, and the places in
# which both look for libraries.
need_gpu_python() {
    local requirements=scripts/requirements-gpu.txt stamp packages nvidia
    need_venv .venv-gpu
    GPU_PYTHON=.venv-gpu/bin/python
    stamp=$(stamp_of .venv-gpu "$requirements")
    if [[ ! -e $stamp ]]; then
        say "installing $requirements into .venv-gpu: 3 GB, minutes"
        pip_install "$GPU_PYTHON" -r "$requirements"
        touch "$stamp"
    fi
    packages=$("$GPU_PYTHON" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    ORT_DYLIB_PATH=$(find "$packages/onnxruntime/capi" -name 'libonnxruntime.so.*' | head -n 1)
    [[ -n $ORT_DYLIB_PATH ]] || die "there is no libonnxruntime.so in $packages/onnxruntime/capi"
    # NVIDIA's packages have a folder each, nvidia/NAME/lib.
    nvidia=$(find "$packages/nvidia" -type d -name lib | paste -sd:)
    LD_LIBRARY_PATH=$nvidia${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    export ORT_DYLIB_PATH LD_LIBRARY_PATH
}

# build PROFILE [PACKAGE...] : the three programs and the maker of test data, or these; sets BIN to where they are.
# BUILT_BIN names a folder that has them already: nothing is built then.
build() {
    local profile=$1
    shift
    if [[ -n ${BUILT_BIN:-} ]]; then
        say "not building: $BUILT_BIN has the programs"
        BIN=$BUILT_BIN
        export BIN
        return
    fi
    (($#)) || set -- storage-server tuner profiler headwater-testdata
    say "building ($profile)"
    cargo build --locked --profile "$profile" "${@/#/--package=}"
    local target=${CARGO_TARGET_DIR:-target}
    BIN=$target/$([[ $profile == dev ]] && echo debug || echo "$profile")
    export BIN
}

# bench_program PACKAGE TARGET : builds a benchmark of a crate, and prints where its program is.
bench_program() {
    say "building $2 (bench)"
    cargo bench --locked -p "$1" --bench "$2" --no-run --message-format=json-render-diagnostics |
        python3 -c 'import json, sys
for message in map(json.loads, sys.stdin):
    if message.get("executable"): print(message["executable"])'
}

# example_program PACKAGE TARGET : builds an example of a crate, optimised, and prints where its program is.
example_program() {
    say "building $2 (release)"
    cargo build --locked --release -p "$1" --example "$2"
    printf '%s\n' "${CARGO_TARGET_DIR:-target}/release/examples/$2"
}

# PyTorch for the tests of the Python package, in .venv-torch: Debian's, which is small and for the CPU (PyPI's brings
# gigabytes of CUDA). Sets TORCH_PYTHON.
need_torch() {
    local requirements=scripts/requirements-torch.txt stamp
    need_packages python3-torch python3-torchvision python3-venv
    TORCH_PYTHON=.venv-torch/bin/python
    [[ -x $TORCH_PYTHON ]] || /usr/bin/python3 -m venv --system-site-packages .venv-torch
    stamp=$(stamp_of .venv-torch "$requirements")
    if [[ ! -e $stamp ]]; then
        say "installing $requirements into .venv-torch"
        pip_install "$TORCH_PYTHON" -r "$requirements"
        # It asks for a later PyTorch than Debian's, and works with it.
        pip_install "$TORCH_PYTHON" --no-deps torchdata==0.9.0
        touch "$stamp"
    fi
}

# What .venv-trainers takes while it is made, in kB.
TRAINERS_SPACE=11000000

# trainers_are_there : whether .venv-trainers has what both of its files of requirements pin, as they stand.
trainers_are_there() {
    [[ -e $(stamp_of .venv-trainers scripts/requirements-trainers.txt) &&
        -e $(stamp_of .venv-trainers scripts/requirements-engines.txt) ]]
}

# need_space_for_trainers : says so at once where .venv-trainers is not there yet and will not fit.
need_space_for_trainers() {
    local left
    ! trainers_are_there || return 0
    left=$(df --output=avail -k . | tail -n 1)
    ((left >= TRAINERS_SPACE)) ||
        die "the trainers take $((TRAINERS_SPACE / 1000000)) GB, and there are $((left / 1000000)) GB left in $PWD:" \
            "make room, or run scripts/test without --trainers"
}

# PyPI's PyTorch, with its CUDA, the trainers that drive the datasets, and the engines that read them, in
# .venv-trainers: installed at once, so that pip finds versions of what they share. Sets TRAINERS_PYTHON.
need_trainers() {
    local trainers=scripts/requirements-trainers.txt engines=scripts/requirements-engines.txt begun=$SECONDS
    need_venv .venv-trainers
    TRAINERS_PYTHON=.venv-trainers/bin/python
    trainers_are_there && return
    say "installing $trainers and $engines into .venv-trainers: 5 GB to download, minutes"
    pip_install "$TRAINERS_PYTHON" -r "$trainers" -r "$engines"
    touch "$(stamp_of .venv-trainers "$trainers")" "$(stamp_of .venv-trainers "$engines")"
    say "installed in $((SECONDS - begun)) s"
}

# install_wheel PYTHON : the wheel that build_wheel has made, in place of an earlier one, beside what is there.
install_wheel() { pip_install "$1" --no-deps --force-reinstall "$WHEEL"; }

# need_maturin : the builder of the Python package, in .venv-wheel.
need_maturin() {
    need_venv .venv-wheel
    pip_install .venv-wheel/bin/python 'maturin>=1.16,<2'
}

# build_wheel PROFILE PYTHON : the Python package with maturin, which PYTHON has; sets WHEEL to the file.
build_wheel() {
    local profile=$1 python=$2 out
    out=${CARGO_TARGET_DIR:-target}/wheels
    say "building the wheel ($profile)"
    rm -f "$out"/headwater-*.whl
    "$python" -m maturin build --quiet --locked --profile "$profile" \
        --manifest-path python/headwater/Cargo.toml --out "$out"
    WHEEL=$(echo "$out"/headwater-*.whl)
    export WHEEL
}

# The oldest glibc that portable wheels and programs are for: Debian 10, RHEL 8, Ubuntu 20.04.
PORTABLE_GLIBC=2.28

# need_target TARGET : a target that portable things are built for, and the standard library for it.
need_target() {
    local target=$1
    [[ $target == *-linux-gnu ]] ||
        die "portable wheels and programs are for Linux with glibc, and this is $target: use --native"
    compgen -G "$(rustc --print target-libdir --target "$target")/libstd-*" >/dev/null ||
        die "Rust's standard library for $target is not installed: rustup target add $target"
}

# need_zig PYTHON : zig, which has the symbols of older versions of glibc to link against, for PYTHON and its folder.
need_zig() { pip_install "$1" 'ziglang>=0.15,<0.18' 'cargo-zigbuild>=0.22,<1'; }

# build_portable_wheel PROFILE PYTHON [TARGET] : as build_wheel, for every Linux with glibc 2.28 or later, whatever this
# machine has; maturin refuses a wheel that needs a later one.
build_portable_wheel() {
    local profile=$1 python=$2 target=${3:-} out folder
    target=${target:-$(rustc -vV | sed -n 's/^host: //p')}
    need_target "$target"
    need_zig "$python"
    folder=$(cd "$(dirname "$python")" && pwd)
    out=${CARGO_TARGET_DIR:-target}/wheels
    say "building the wheel ($profile, $target, glibc $PORTABLE_GLIBC)"
    rm -f "$out"/headwater-*.whl
    # It looks for zig as a module of the first Python that it finds.
    PATH=$folder:$PATH "$python" -m maturin build --quiet --locked --profile "$profile" --zig --target "$target" \
        --compatibility "manylinux_${PORTABLE_GLIBC/./_}" --manifest-path python/headwater/Cargo.toml --out "$out"
    WHEEL=$(echo "$out"/headwater-*.whl)
    export WHEEL
}

# build_portable PYTHON TARGET PROGRAM... : programs, optimised, for every Linux with glibc 2.28 or later; sets BIN to
# where they are.
build_portable() {
    local python=$1 target=$2 folder
    shift 2
    need_target "$target"
    need_zig "$python"
    folder=$(cd "$(dirname "$python")" && pwd)
    say "building $* (release, $target, glibc $PORTABLE_GLIBC)"
    PATH=$folder:$PATH cargo-zigbuild zigbuild --locked --release --target "$target.$PORTABLE_GLIBC" \
        "${@/#/--package=}"
    BIN=${CARGO_TARGET_DIR:-target}/$target/release
    export BIN
}
