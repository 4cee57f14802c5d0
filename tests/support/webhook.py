"""A webhook on loopback: what arrives, in order, and how it answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Webhook:
    """`heard` holds what was taken; `answers` the statuses of the next requests, then 200."""

    port: int = 0
    heard: list[dict[str, str]] = field(default_factory=list)
    asked: int = 0
    answers: list[int] = field(default_factory=list)

    def url(self, path: str = "hook") -> str:
        """As apprise writes a webhook that takes JSON."""
        return f"json://127.0.0.1:{self.port}/{path}"

    @property
    def titles(self) -> list[str]:
        return [message["title"] for message in self.heard]


@contextmanager
def webhook() -> Iterator[Webhook]:
    """Listens for the length of a block."""
    hook = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            hook.asked += 1
            status = hook.answers.pop(0) if hook.answers else 200
            if status == 200:
                hook.heard.append(body | {"path": self.path})
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hook.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
