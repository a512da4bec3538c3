"""A folder as an S3-compatible bucket that is far away: each answer comes after a delay, and all of them share a
bandwidth. It knows what a reader asks: pages of a listing, and objects. Prints its address; ends with its input.
"""

from __future__ import annotations

import argparse
import hashlib
import http.server
import pathlib
import sys
import threading
import time
import urllib.parse
from xml.sax.saxutils import escape

PIECE = 16 * 1024


class Line:
    """A bandwidth that all connections share: each byte has its moment."""

    def __init__(self, bytes_per_second: float) -> None:
        self.rate = bytes_per_second
        self.lock = threading.Lock()
        self.free = 0.0

    def wait(self, count: int) -> None:
        with self.lock:
            begins = max(self.free, time.monotonic())
            self.free = begins + count / self.rate
            wake = self.free
        time.sleep(max(0.0, wake - time.monotonic()))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder: pathlib.Path
    line: Line
    delay: float
    reads = 0
    read_bytes = 0

    def do_GET(self) -> None:
        try:
            self.give()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def give(self) -> None:
        time.sleep(self.delay)
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        if "list-type" in query:
            self.answer(self.listing(query).encode(), "application/xml")
            return
        path = self.folder / urllib.parse.unquote(url.path).split("/", 2)[2]
        if not path.is_file():
            self.send_error(404)
            return
        type(self).reads += 1
        body = path.read_bytes()
        type(self).read_bytes += len(body)
        self.answer(body, "image/jpeg", tag_of(path))

    def answer(self, body: bytes, kind: str, tag: str | None = None) -> None:
        first, last, status = 0, len(body) - 1, 200
        asked = self.headers.get("Range")
        if asked:
            begin, end = asked.removeprefix("bytes=").split("-")
            first, last, status = int(begin), min(int(end or last), last), 206
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(last + 1 - first))
        if status == 206:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(body)}")
        if tag:
            self.send_header("ETag", tag)
            self.send_header("Last-Modified", "Sun, 29 Nov 2026 00:00:00 GMT")
        self.end_headers()
        for at in range(first, last + 1, PIECE):
            piece = body[at : min(at + PIECE, last + 1)]
            self.line.wait(len(piece))
            self.wfile.write(piece)

    def listing(self, query: dict[str, str]) -> str:
        prefix = query.get("prefix", "")
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        keys = [(str(path.relative_to(self.folder)), path) for path in files]
        keys = [(key, path) for key, path in keys if key.startswith(prefix)]
        start = int(query.get("continuation-token", "0"))
        page = keys[start : start + 1000]
        contents = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>2026-11-29T00:00:00.000Z</LastModified>"
            f"<ETag>{escape(tag_of(path))}</ETag><Size>{path.stat().st_size}</Size></Contents>"
            for key, path in page
        )
        more = start + len(page) < len(keys)
        token = f"<NextContinuationToken>{start + len(page)}</NextContinuationToken>" if more else ""
        return (
            '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult>'
            f"<Name>bucket</Name><Prefix>{escape(prefix)}</Prefix><KeyCount>{len(page)}</KeyCount>"
            f"<MaxKeys>1000</MaxKeys><IsTruncated>{str(more).lower()}</IsTruncated>{contents}{token}</ListBucketResult>"
        )

    def log_message(self, *_: object) -> None:
        pass


def tag_of(path: pathlib.Path) -> str:
    state = path.stat()
    digest = hashlib.sha256(f"{state.st_size} {state.st_mtime_ns}".encode()).hexdigest()
    return f'"{digest[:32]}"'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--delay", type=float, default=0.005, help="seconds before each answer")
    parser.add_argument("--rate", type=float, default=20e6, help="bytes a second, of all answers together")
    args = parser.parse_args()
    Handler.folder, Handler.delay, Handler.line = args.folder, args.delay, Line(args.rate)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    for line in sys.stdin:
        if line.strip() == "counts":
            print(f"{Handler.reads} {Handler.read_bytes}", flush=True)


if __name__ == "__main__":
    main()
