"""The process that knows the addresses: reads messages on standard input, sends, answers counts.

Belongs here: `apprise`, tries and pauses. It is a process of its own because whatever handles an
address may print, log or raise it: apprise names addresses in its log, the HTTP library under it
too. Nobody listens to this process but `delivery`, which reads one line of JSON in our own words,
and ends it if it hangs.

An answer's reason is one of a few sentences of ours and at most a status of three digits: nothing
that came from an address, a service or an exception goes through.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

Answer = Callable[[str, int, str | None], None]


#: Of the message that is being sent: apprise's threads inherit it from the one that asked.
_REASON: ContextVar[list[str]] = ContextVar("reason")


class Reasons(logging.Handler):
    """Keeps of apprise's log only which of our own sentences describes the last failure."""

    def emit(self, record: logging.LogRecord) -> None:
        """A status of three digits, or that there was no connection; never the text."""
        kept = _REASON.get(None)
        text = record.getMessage()
        status = re.search(r"\berror=(\d{3})\b", text)
        if kept is None:
            return
        if status:
            kept.append(f"the service answered {status[1]}")
        elif "onnection error" in text or "ocket" in text:
            kept.append("no connection")


def deliver_all(request: dict[str, Any], environment: dict[str, str], answer: Answer) -> None:
    """Channels side by side; answers after every message, so that what got through is known.

    An answer says how many of a channel's messages got through, and why the next did not.
    """
    apprise_log = logging.getLogger("apprise")
    reasons = Reasons(logging.WARNING)
    apprise_log.addHandler(reasons)
    threads = [
        threading.Thread(target=_channel, args=(channel, request["pauses"], environment, answer))
        for channel in request["channels"]
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    apprise_log.removeHandler(reasons)


def _channel(
    channel: dict[str, Any], pauses: list[float], environment: dict[str, str], answer: Answer
) -> None:
    name, address = channel["name"], environment.get(channel["url_env"], "").strip()
    if not address:
        answer(name, 0, f"the environment variable {channel['url_env']} is not set")
        return
    try:
        service = _service(address)
    except Exception:  # noqa: BLE001 - an exception may hold the address: not even its text
        service = None
    if service is None:
        answer(name, 0, f"the address in {channel['url_env']} is none that apprise understands")
        return
    for delivered, message in enumerate(channel["messages"]):
        reason = _send(service, message, pauses)
        answer(name, delivered + (reason is None), reason)
        if reason is not None:
            return


def _service(address: str) -> Any | None:
    import apprise

    service = apprise.Apprise()
    return service if service.add(address) else None


def _send(service: Any, message: dict[str, str], pauses: list[float]) -> str | None:
    """None when it got through; tries once more after each pause."""
    reason = ""
    for pause in [0.0, *pauses]:
        time.sleep(pause)
        kept: list[str] = []
        _REASON.set(kept)
        try:
            if service.notify(title=message["title"], body=message["body"], body_format="text"):
                return None
        except Exception:  # noqa: BLE001 - an exception may hold the address: not even its text
            reason = "apprise failed"
        else:
            reason = kept[-1] if kept else "it was not delivered"
    return f"{reason} ({len(pauses) + 1} tries)"


def main() -> None:
    """Answers on the real standard output; whatever else is printed goes nowhere."""
    stream = os.fdopen(os.dup(1), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    one_at_a_time = threading.Lock()

    def answer(name: str, delivered: int, reason: str | None) -> None:
        line = json.dumps({"name": name, "delivered": delivered, "reason": reason})
        with one_at_a_time:
            stream.write(line + "\n")
            stream.flush()

    deliver_all(json.load(sys.stdin), dict(os.environ), answer)


if __name__ == "__main__":
    main()
