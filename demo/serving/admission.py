"""Who may wait: a queue of a stated length, fair to every visitor, and a plain word to whom it refuses.

Gradio's own refusal says neither how many are waiting nor for how long, and its queue has one length for
photos and sliders alike. So what Gradio is about to queue is looked at first.
"""

import math
import re
from collections.abc import Iterator

import gradio as gr
from fastapi import HTTPException, Request
from gradio.block_function import BlockFunction
from gradio.data_classes import PredictBodyInternal

from demo.serving.limits import NETWORK, Limits
from demo.serving.metrics import Metrics

ADDRESS = re.compile(r"\s*[a-z][a-z0-9+.-]*:", re.IGNORECASE)
"""How an address begins, of whatever scheme."""
NO_ADDRESSES = "This server fetches nothing from addresses: download the photo and send the file itself."
BUSY, BAD = 429, 400


class Admission:
    """Looks at every event before it is queued.

    Refuses with an HTTPException: 429 with a Retry-After where there is no place, 400 for files that are
    addresses.
    """

    def __init__(self, blocks: gr.Blocks, limits: Limits, metrics: Metrics) -> None:
        """Takes its place before the queue of `blocks`, which must have been made (`blocks.queue()`)."""
        self._blocks, self._limits, self._metrics = blocks, limits, metrics
        queue, push = blocks._queue, blocks._queue.push

        async def admitted(body: PredictBodyInternal, request: Request, username: str | None):
            self._check(body)
            return await push(body=body, request=request, username=username)

        queue.push = admitted

    @property
    def waiting(self) -> int:
        """Events that run networks and have not begun."""
        return len(self._queued(NETWORK))

    @property
    def has_place(self) -> bool:
        return self.waiting < self._limits.waiting

    def _check(self, body: PredictBodyInternal) -> None:
        if any(map(ADDRESS.match, _file_paths(body.data))):
            raise self._refused("address", BAD, NO_ADDRESSES)
        function = self._blocks.fns.get(body.fn_index)
        if function is None or function.concurrency_id != NETWORK:
            others = len(self._blocks._queue) - self.waiting
            if others >= self._limits.others_waiting:
                raise self._refused("others", BUSY, "The server is busy: try again in a moment.", 2)
            return
        own = sum(event.session_hash == body.session_hash for event in self._queued(NETWORK))
        if own >= self._limits.per_visitor:
            raise self._refused(
                "visitor", BUSY, f"{own} of your requests are waiting already: wait for one of them.",
                self._seconds(1),
            )  # fmt: skip
        if not self.has_place:
            seconds = self._seconds(self.waiting)
            raise self._refused(
                "full", BUSY,
                f"The server is full: {self.waiting} ahead of you, which takes about {seconds} s. Try again "
                "then; nothing you have here is lost.",
                seconds,
            )  # fmt: skip

    def _queued(self, name: str) -> list:
        queue = self._blocks._queue.event_queue_per_concurrency_id.get(name)
        return [] if queue is None else queue.queue

    def _seconds(self, ahead: int) -> int:
        """How long so many events will take, from how long they took so far."""
        times = self._blocks._queue.process_time_per_fn
        taken = [time for function, time in times.items() if _runs_networks(function)]
        count = sum(time.count for time in taken)
        mean = sum(time.process_time for time in taken) / count if count else 1.0
        return max(1, math.ceil(ahead * mean / self._limits.at_once))

    def _refused(self, reason: str, status: int, sentence: str, seconds: int | None = None) -> HTTPException:
        self._metrics.refused.labels(reason).inc()
        return HTTPException(
            status, sentence, headers=None if seconds is None else {"Retry-After": str(seconds)}
        )


def _runs_networks(function: BlockFunction) -> bool:
    return function.concurrency_id == NETWORK


def _file_paths(data: object) -> Iterator[str]:
    """Paths of the files that an event's data describes, at any depth."""
    found = [data]
    while found:
        one = found.pop()
        if isinstance(one, dict):
            if isinstance(one.get("path"), str):
                yield one["path"]
            found += one.values()
        elif isinstance(one, list | tuple):
            found += one
