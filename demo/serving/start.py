"""The page, served: launched behind the gate, with its queue, its checks, its figures and its sweeper."""

import os
import sys
from pathlib import Path
from typing import Any

import gradio as gr
import torch
from gradio.utils import get_upload_folder
from starlette.middleware import Middleware

from demo.serving import health, receiving
from demo.serving.admission import Admission
from demo.serving.gate import Gate
from demo.serving.limits import Limits
from demo.serving.metrics import Metrics
from demo.serving.sweep import Sweeper
from demo.serving.watch import watch_listeners
from hmnet.render import renderer_works

MESSAGES = 300
"""Visitors for whom answers are kept that they have not fetched."""
POLLED = 0.01
"""Seconds between two looks at the queue while somebody waits."""


def launch(blocks: gr.Blocks, limits: Limits, **options: Any) -> tuple[str, Metrics]:
    """Serves a page within the limits: its address, and the figures of the server.

    options: of `gr.Blocks.launch`, those of `demo.theme.launch_options` among them.
    """
    # Otherwise every thread that answers has a team of threads of its own, which wait for work by spinning.
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // limits.at_once))
    _prepare_queue(blocks, limits)
    metrics, folder = Metrics(), Path(get_upload_folder())
    admission = Admission(blocks, limits, metrics)
    watch_listeners(blocks, metrics)
    _watch_page(blocks, admission, metrics)
    checks = {
        "queue": lambda: admission.has_place,
        "disk": lambda: health.has_room(folder.parent, limits.free_bytes),
        "renderer": renderer_works,
    }
    Sweeper(folder)
    _, address, _ = blocks.launch(
        **options,
        state_session_capacity=limits.sessions,
        run_history=False,
        max_file_size=limits.upload_bytes,
        app_kwargs={
            "middleware": [Middleware(Gate, limits=limits, metrics=metrics, folder=get_upload_folder)],
            "routes": [*health.routes(checks, metrics), receiving.route(blocks, limits)],
        },
    )
    return address, metrics


def _prepare_queue(blocks: gr.Blocks, limits: Limits) -> None:
    """Gradio's queue as a public server needs it."""
    blocks.queue(
        # Open, it would let anybody run a listener without waiting for it.
        api_open=False,
        # Admission looks after the length; without one given, Gradio would take 1 on ZeroGPU.
        max_size=limits.waiting + limits.others_waiting,
        default_concurrency_limit=limits.at_once,
    )
    queue = blocks._queue
    queue.pending_messages_per_session.max_size = MESSAGES
    # Gradio looks a thousand times a second whether who waits may begin.
    queue.sleep_when_free, queue.progress_update_sleep_when_free = POLLED, 10 * POLLED
    # After every event Gradio makes a summary of the last ten thousand, for a page that is switched off.
    queue.ANAYLTICS_CACHE_FREQUENCY = sys.maxsize


def _watch_page(blocks: gr.Blocks, admission: Admission, metrics: Metrics) -> None:
    """Figures that are read off the page when they are asked for."""
    metrics.watch("waiting", "Events that wait for the networks", lambda: admission.waiting)
    metrics.watch("running", "Events that run", blocks._queue.get_active_worker_count)
    metrics.watch("sessions", "Visitors who are remembered", lambda: len(blocks.state_holder.session_data))
