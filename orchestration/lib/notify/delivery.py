"""Sending messages through the courier, a process of its own, in bounded time.

Belongs here: starting and ending it, its answer. Does not belong here: what is sent (`messages`),
how (`courier`).
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestration.lib.notify.messages import Message
from orchestration.settings import REPO

#: Before the second and the third try of a message.
PAUSES = (1.0, 5.0)
#: Whatever happens, nobody waits longer for a delivery.
LONGEST_SECONDS = 120.0


@dataclass(frozen=True)
class Delivery:
    """What became of a channel's messages: so many of them, the first ones, got through."""

    delivered: int
    reason: str | None


def deliver(
    messages: Mapping[str, tuple[str, Sequence[Message]]],
    *,
    pauses: Sequence[float] = PAUSES,
    longest: float = LONGEST_SECONDS,
) -> dict[str, Delivery]:
    """Send each channel's messages; a channel that fails keeps nobody else from hearing.

    Args:
        messages: by channel, the environment variable of its address and what to send.
        pauses: seconds before each further try.
        longest: after so many seconds the courier is ended.
    """
    request = {
        "pauses": list(pauses),
        "channels": [
            {
                "name": name,
                "url_env": url_env,
                "messages": [{"title": each.title, "body": each.body} for each in own],
            }
            for name, (url_env, own) in messages.items()
        ],
    }
    late = f"no answer within {longest:.0f} seconds"
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "orchestration.lib.notify.courier"],
            input=json.dumps(request).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=longest,
            cwd=REPO,
            check=False,
        )
        said, lost = ended.stdout, "the courier gave no answer"
    except subprocess.TimeoutExpired as error:
        said, lost = error.stdout or b"", late
    answers = {name: Delivery(0, None) for name in messages}
    for line in said.decode(errors="replace").splitlines():
        try:
            answer = json.loads(line)
            answers[answer["name"]] = Delivery(answer["delivered"], answer["reason"])
        except (json.JSONDecodeError, KeyError):
            continue  # The end of a courier that was ended.
    return {
        name: Delivery(answer.delivered, answer.reason or lost)
        if answer.delivered < len(messages[name][1])
        else answer
        for name, answer in answers.items()
    }
