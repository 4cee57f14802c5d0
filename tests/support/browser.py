"""A headless Chromium driven through its DevTools protocol, for tests that look at a page.

Belongs here: starting it, asking it, what it complains about. Does not belong here: what a page
must be. Only what is on this machine is opened; any name that a page asks for resolves to nothing.
"""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

_START_SECONDS = 60
_ANSWER_SECONDS = 60


@dataclass
class Page:
    """One tab: commands go in, events are kept."""

    socket: ClientConnection
    #: What the page logged or threw, and the addresses it asked for.
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    _last: int = 0

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command and its answer; what happens meanwhile is noted."""
        self._last += 1
        self.socket.send(json.dumps({"id": self._last, "method": method, "params": parameters}))
        while True:
            message = self._next()
            if message.get("id") == self._last:
                assert "error" not in message, message
                return dict(message["result"])

    def open(self, where: Path | str) -> None:
        """Open a file or an address, and wait until it is loaded."""
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.requests.clear()
        self.call("Page.navigate", url=where if isinstance(where, str) else where.as_uri())
        while self._next().get("method") != "Page.loadEventFired":
            pass

    def look(self, width: int, scheme: str) -> None:
        """Show it on a screen of this width, light or dark."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        self.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )

    def run(self, script: str) -> Any:
        """The value of an expression, awaited."""
        answer = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def _next(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.socket.recv(timeout=_ANSWER_SECONDS))
        said = message.get("params", {})
        match message.get("method"):
            case "Log.entryAdded":
                self.complaints.append(said["entry"]["text"])
            case "Runtime.exceptionThrown":
                self.complaints.append(str(said["exceptionDetails"]))
            case "Runtime.consoleAPICalled":
                self.complaints.append(f"console.{said['type']}")
            case "Network.requestWillBeSent":
                self.requests.append(said["request"]["url"])
        return message


@contextmanager
def browser_page(browser: Path, folder: Path) -> Iterator[Page]:
    """A tab of a fresh browser; `folder` is for its profile."""
    process = subprocess.Popen(
        [
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--hide-scrollbars",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            f"--user-data-dir={folder}",
            "--remote-debugging-port=0",
            "about:blank",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        address = _address(process, folder / "DevToolsActivePort")
        with connect(address, max_size=None, compression=None) as socket:
            yield Page(socket)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _address(process: subprocess.Popen[bytes], port_file: Path) -> str:
    """Where the tab listens, once the browser says so."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, "the browser ended before it answered"
        if port_file.exists() and (lines := port_file.read_text().splitlines()):
            with urllib.request.urlopen(f"http://127.0.0.1:{lines[0]}/json/list") as answer:
                tabs = json.load(answer)
            if pages := [tab for tab in tabs if tab["type"] == "page"]:
                return str(pages[0]["webSocketDebuggerUrl"])
        time.sleep(0.1)
    raise AssertionError(f"no browser within {_START_SECONDS} s")
