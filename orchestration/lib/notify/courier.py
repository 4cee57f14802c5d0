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
from typing import Any

Send = Callable[[str, str, str], bool]


class Reasons(logging.Handler):
    """Keeps of the log only which of our own sentences describes the last failure."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.reason: dict[int, str] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """By thread: apprise sends a single message in the thread of its caller, or says less."""
        text = record.getMessage()
        status = re.search(r"\berror=(\d{3})\b", text)
        if status:
            self.reason[threading.get_ident()] = f"the service answered {status[1]}"
        elif "onnection error" in text or "ocket" in text:
            self.reason[threading.get_ident()] = "no connection"


def deliver_all(request: dict[str, Any], environment: dict[str, str]) -> dict[str, dict[str, Any]]:
    """By channel: how many of its messages got through, in order, and why the next did not."""
    answers: dict[str, dict[str, Any]] = {}

    def one(channel: dict[str, Any]) -> None:
        answers[channel["name"]] = _channel(channel, request["pauses"], environment)

    threads = [threading.Thread(target=one, args=(channel,)) for channel in request["channels"]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def _channel(
    channel: dict[str, Any], pauses: list[float], environment: dict[str, str]
) -> dict[str, Any]:
    address = environment.get(channel["url_env"], "").strip()
    if not address:
        return _answer(0, f"the environment variable {channel['url_env']} is not set")
    try:
        service = _service(address)
    except Exception:  # noqa: BLE001 - an exception may hold the address: not even its text
        service = None
    if service is None:
        return _answer(0, f"the address in {channel['url_env']} is none that apprise understands")
    delivered = 0
    for message in channel["messages"]:
        reason = _send(service, message, pauses)
        if reason is not None:
            return _answer(delivered, reason)
        delivered += 1
    return _answer(delivered, None)


def _answer(delivered: int, reason: str | None) -> dict[str, Any]:
    return {"delivered": delivered, "reason": reason}


def _service(address: str) -> Any | None:
    import apprise

    service = apprise.Apprise()
    return service if service.add(address) else None


def _send(service: Any, message: dict[str, str], pauses: list[float]) -> str | None:
    """None when it got through; tries once more after each pause."""
    reason = "it was not delivered"
    for pause in [0.0, *pauses]:
        time.sleep(pause)
        _REASONS.reason.clear()
        try:
            if service.notify(title=message["title"], body=message["body"], body_format="text"):
                return None
        except Exception:  # noqa: BLE001 - an exception may hold the address: not even its text
            reason = "the service's library failed"
        else:
            reason = next(iter(_REASONS.reason.values()), reason)
    return f"{reason} ({len(pauses) + 1} tries)"


_REASONS = Reasons()


def main() -> None:
    """Answers on the real standard output; whatever else is printed goes nowhere."""
    answer_to = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    logging.getLogger("apprise").addHandler(_REASONS)
    request = json.load(sys.stdin)
    with os.fdopen(answer_to, "w") as stream:
        json.dump(deliver_all(request, dict(os.environ)), stream)


if __name__ == "__main__":
    main()
