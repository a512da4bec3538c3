"""A collector of traces that drops what it takes: writes its port to a file, and answers until it is ended."""

import http.server
import pathlib
import sys


class Sink(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    file = pathlib.Path(sys.argv[1])
    whole = file.with_suffix(".new")
    whole.write_text(str(server.server_address[1]))
    whole.rename(file)
    server.serve_forever()


main()
