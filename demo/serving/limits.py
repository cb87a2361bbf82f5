"""How much the server takes on at once, and what it refuses."""

import os
from dataclasses import dataclass

import torch

NETWORK = "network"
"""Gradio's name for the queue of all events that run networks."""
MEGABYTE = 2**20


@dataclass(frozen=True)
class Limits:
    """What one server takes on; `for_device` gives those of a machine.

    at_once: events that run networks at a time. waiting: more of them that may wait. per_visitor: of those,
    one visitor's. others_waiting: events that run none (sliders, files) that may wait. sessions: visitors
    whose person is remembered. uploads: files that are received at a time. upload_bytes, body_bytes: of an
    upload, of any other request. seconds: to receive either. free_bytes: of the disk, below which nothing
    more is received.
    """

    at_once: int = 2
    waiting: int = 40
    per_visitor: int = 4
    others_waiting: int = 200
    sessions: int = 120
    uploads: int = 16
    upload_bytes: int = 64 * MEGABYTE
    body_bytes: int = 24 * MEGABYTE
    seconds: float = 300.0
    free_bytes: int = 200 * MEGABYTE

    @classmethod
    def for_device(cls, device: torch.device, waiting: int | None = None) -> "Limits":
        """Those of this machine. waiting: instead of the default.

        An event is half networks, half drawing on one core: as many at once as there are cores, but at most
        4, and on a GPU 4, whose memory is what ends first.
        """
        at_once = 4 if device.type != "cpu" else min(4, os.cpu_count() or 1)
        return cls(at_once=at_once, **({} if waiting is None else {"waiting": waiting}))
