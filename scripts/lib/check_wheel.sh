# shellcheck shell=bash
# From an empty virtual environment to a trained head: the wheel as a user has it. Sourced by scripts/check-packages,
# which sets `work` and says what was expected.

# Most seconds that an installation may take, ONNX Runtime and NumPy downloaded.
MOST_SECONDS=60

# become COMMAND... : in a folder and a home of its own, with what the environment has and what every system has. In the
# background the process that is started is the command's own.
# shellcheck disable=SC2154
become() {
    cd "$work/user" || return
    exec env -i PATH="$work/venv/bin:/usr/bin:/bin" HOME="$work/user" LC_ALL=C.UTF-8 "$@"
}

# user COMMAND... : the same, waited for.
user() { (become "$@"); }

check_wheel() {
    local wheel=$1 begun took left
    say "the wheel $(basename "$wheel"): $(($(stat -c %s "$wheel") / 1000000)) MB"
    tag_is_true "$wheel"
    mkdir "$work/user"
    python3 -m venv "$work/venv"
    begun=$(date +%s%N)
    user pip install --no-cache-dir --quiet --disable-pip-version-check "$wheel"
    took=$((($(date +%s%N) - begun) / 1000000))
    without_onnx
    begun=$(date +%s%N)
    user pip install --no-cache-dir --quiet --disable-pip-version-check "${wheel}[onnx]"
    took=$((took + ($(date +%s%N) - begun) / 1000000))
    say "installed with ONNX Runtime in $((took / 1000)).$((took % 1000 / 100)) s"
    ((took < MOST_SECONDS * 1000)) || die "pip install took longer than $MOST_SECONDS s"
    quick_start
    user pip uninstall --yes --quiet headwater
    # ONNX Runtime has a profiler too.
    left=$(find "$work/venv" -name onnxruntime -prune -o \
        \( -name '*headwater*' -o -name 'storage-server*' -o -name 'tuner*' -o -name 'profiler*' \) -print)
    [[ -z $left ]] || die "pip uninstall leaves $left"
}

# tag_is_true WHEEL : whether it runs where its name says.
tag_is_true() {
    local name tag found
    name=$(basename "$1" .whl)
    tag=${name##*-}
    found=$(.venv-packages/bin/python -m auditwheel show "$1" | tr -s '[:space:]' ' ')
    [[ $found =~ 'following platform tag: "'([^\"]+)'"' ]] || die "auditwheel says: $found"
    found=${BASH_REMATCH[1]}
    say "auditwheel: $found; the name says $tag"
    [[ $tag == "$found" || $tag == *".$found" || $tag == "$found."* ]] || later_glibc "$found" "$tag" ||
        die "the wheel's name says $tag, and auditwheel $found"
}

# later_glibc FOUND TAG : whether TAG asks for a later glibc than what was FOUND to do, on the same processor.
later_glibc() {
    [[ $1 =~ ^manylinux_2_([0-9]+)_(.+)$ ]] || return 1
    local minor=${BASH_REMATCH[1]} processor=${BASH_REMATCH[2]}
    [[ $2 =~ ^manylinux_2_([0-9]+)_(.+)$ && ${BASH_REMATCH[2]} == "$processor" ]] && ((BASH_REMATCH[1] >= minor))
}

# The programs run, and what needs ONNX Runtime says where to get it.
without_onnx() {
    local program said
    for program in storage-server tuner profiler; do
        said=$(user "$program" --version)
        say "$said"
        user test -s "$work/venv/share/man/man1/$program.1" || die "there is no man page of $program"
    done
    said=$(user profiler machine --model "$work/try/extractor.onnx" --recipe "$work/try/extractor.toml" 2>&1) &&
        die "profiler found an ONNX Runtime that is not there"
    [[ $said == *"pip install 'headwater[onnx]'"* ]] || die "without ONNX Runtime is said: $said"
}

# README's quick start, with its own commands: a server, a batch in Python, a head.
quick_start() {
    local address python
    become storage-server serve --data "$work/try/photos" --dataset photos \
        --model "extractor=$work/try/extractor.onnx,recipe=$work/try/extractor.toml" \
        --listen 127.0.0.1:0 --port-file "$work/port" >"$work/server.log" 2>&1 &
    SERVER_PIDS+=($!)
    until [[ -e $work/port ]]; do
        kill -0 "${SERVER_PIDS[-1]}" 2>/dev/null || { cat "$work/server.log" >&2; die "the server did not start"; }
        sleep 0.05
    done
    address=127.0.0.1:$(<"$work/port")
    python3 scripts/lib/readme.py python 'import headwater' | sed "s/127.0.0.1:7440/$address/" >"$work/user/first.py"
    python=$(user python first.py)
    [[ $python == *'(32, 3, 224, 224) float32'* ]] || die "README's Python printed: $python"
    say "README's first batch: $(wc -l <<<"$python") batches"
    ln -s "$work/try" "$work/user/try"
    python3 scripts/lib/readme.py console 'tuner fine-tune' | sed "s/127.0.0.1:7440/$address/" >"$work/user/head.sh"
    user bash -euo pipefail head.sh >"$work/tuner.log" 2>&1 ||
        { cat "$work/tuner.log" >&2; die "README's head failed"; }
    [[ -s $work/try/head.onnx && -s $work/try/classifier.onnx ]] || die "there is no head"
    say "README's first head: head.onnx and classifier.onnx are there"
    stop_servers
}
