# shellcheck shell=bash
# Storage servers for scripts: on loopback, on free ports, stopped by process id. Sourced; BIN is set by build.

SERVER_PIDS=()
SERVER_DIRS=()
# The servers' addresses, separated by commas.
SERVERS=
BUCKET_PID=

# start_server DIR ARGUMENT... : starts one; its port, metrics port, log and photo index go to DIR.
start_server() {
    local dir=$1
    shift
    mkdir -p "$dir"
    HEADWATER_CACHE_DIR=${HEADWATER_CACHE_DIR:-$dir/index} "$BIN/storage-server" serve \
        --listen 127.0.0.1:0 --port-file "$dir/port" \
        --metrics-listen 127.0.0.1:0 --metrics-port-file "$dir/metrics-port" "$@" >/dev/null 2>"$dir/log" &
    SERVER_PIDS+=($!)
    SERVER_DIRS+=("$dir")
}

wait_for_servers() {
    local i
    SERVERS=
    for i in "${!SERVER_PIDS[@]}"; do
        until [[ -e ${SERVER_DIRS[i]}/port ]]; do
            kill -0 "${SERVER_PIDS[i]}" 2>/dev/null || { cat "${SERVER_DIRS[i]}/log" >&2; exit 1; }
            sleep 0.05
        done
        SERVERS+=${SERVERS:+,}127.0.0.1:$(<"${SERVER_DIRS[i]}/port")
    done
}

# read_metrics DIR : the metrics of the server that was started there.
read_metrics() {
    .venv/bin/python -c 'import sys, urllib.request as r; print(r.urlopen(sys.argv[1]).read().decode(), end="")' \
        "http://127.0.0.1:$(<"$1/metrics-port")/metrics"
}

# start_bucket FOLDER DIR : an S3-compatible store with the folder's files in the bucket `photos`; sets BUCKET to its
# address. Its log goes to DIR.
start_bucket() {
    mkdir -p "$2"
    .venv/bin/python scripts/lib/bucket.py "$1" "$2/port" >"$2/log" 2>&1 &
    BUCKET_PID=$!
    until [[ -e $2/port ]]; do
        kill -0 "$BUCKET_PID" 2>/dev/null || { cat "$2/log" >&2; exit 1; }
        sleep 0.05
    done
    # shellcheck disable=SC2034
    BUCKET=http://127.0.0.1:$(<"$2/port")
}

stop_servers() {
    local pid
    [[ -z $BUCKET_PID ]] || { kill "$BUCKET_PID" 2>/dev/null || true; wait "$BUCKET_PID" 2>/dev/null || true; }
    BUCKET_PID=
    for pid in "${SERVER_PIDS[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${SERVER_PIDS[@]}"; do wait "$pid" 2>/dev/null || true; done
    SERVER_PIDS=() SERVER_DIRS=()
}
