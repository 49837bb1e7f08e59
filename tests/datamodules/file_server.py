"""A web server on this machine for download tests: ranges, ETags, and the faults of real lines."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FileServer:
    """Serve ``files`` (name -> bytes). ``break_after``: bytes after which the next answer breaks off, once.

    ``requests``: (name, Range header or None) of every request.
    """

    def __init__(self, files: dict[str, bytes]):
        self.files, self.requests, self.break_after = files, [], None
        self.has_tags, self.has_ranges = True, True
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.http.server_port}/{name}"

    def stop(self) -> None:
        self.http.shutdown()
        self.http.server_close()


def _handler(server: FileServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name, wanted = self.path[1:], self.headers.get("Range")
            server.requests.append((name, wanted))
            if name not in server.files:
                return self.send_error(404)
            content = server.files[name]
            tag = f'"{hash(content)}"'
            start = 0
            if wanted and server.has_ranges and self.headers.get("If-Range") == tag:
                start = int(wanted.removeprefix("bytes=").removesuffix("-"))
                if start >= len(content):
                    return self.send_error(416)
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            else:
                self.send_response(200)
            if server.has_tags:
                self.send_header("ETag", tag)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            stop, server.break_after = server.break_after, None
            self.wfile.write(content[start : None if stop is None else start + stop])

        def log_message(self, *_: object) -> None:
            """Keep the terminal clean."""

    return Handler
