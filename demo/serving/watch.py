"""Every listener of the page, watched: what it took is counted, and what goes wrong ends in a sentence."""

import inspect
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from hashlib import sha256
from secrets import token_hex

import gradio as gr
from gradio.context import LocalContext

from demo.serving.logs import log, tell
from demo.serving.metrics import Metrics
from hmnet.errors import HMNetError


def watch_listeners(blocks: gr.Blocks, metrics: Metrics) -> None:
    """Wraps the functions behind all events of `blocks`."""
    for function in blocks.fns.values():
        if function.fn is not None:
            name = getattr(function.fn, "__name__", type(function.fn).__name__)
            # What programs may call bears the name of a listener of the page.
            name = f"api/{name}" if function.api_visibility == "public" else name
            function.fn = watched(function.fn, name, blocks, metrics)


def watched(listener: Callable, name: str, blocks: gr.Blocks, metrics: Metrics) -> Callable:
    """The listener, counted and timed; an error that nobody expected becomes a `gr.Error` with a reference
    to the log. Errors meant for the visitor pass."""
    if inspect.isgeneratorfunction(listener):

        @wraps(listener)
        def steps(*arguments, **named):
            with _measured(name, blocks, metrics):
                yield from listener(*arguments, **named)

        return steps

    @wraps(listener)
    def call(*arguments, **named):
        with _measured(name, blocks, metrics):
            return listener(*arguments, **named)

    return call


@contextmanager
def _measured(name: str, blocks: gr.Blocks, metrics: Metrics) -> Iterator[None]:
    event = blocks._queue.event_ids_to_events.get(LocalContext.event_id.get(None))
    facts = {"event": name}
    if event is not None:
        waited = time.monotonic() - event.enqueue_time
        metrics.waited.labels(name).observe(waited)
        facts |= {"waited_ms": round(1000 * waited), "visitor": _pseudonym(event.session_hash)}
    start, outcome = time.perf_counter(), "failed"
    try:
        yield
        outcome = "done"
    except gr.Error:
        outcome = "mistake"
        raise
    except HMNetError as error:
        outcome = "mistake"
        raise gr.Error(str(error), print_exception=False) from error
    except GeneratorExit:
        outcome = "cancelled"
        raise
    except Exception as error:
        reference = token_hex(4)
        log.exception("A listener failed.", extra={"facts": {**facts, "reference": reference}})
        raise gr.Error(_sentence(error, reference), print_exception=False) from error
    finally:
        seconds = time.perf_counter() - start
        metrics.seconds.labels(name).observe(seconds)
        metrics.events.labels(name, outcome).inc()
        level = logging.INFO if outcome != "failed" else logging.ERROR
        tell("event", level, **facts, outcome=outcome, ms=round(1000 * seconds))


def _sentence(error: Exception, reference: str) -> str:
    if isinstance(error, OSError):
        return (
            f"The server cannot write files just now (reference {reference}): try again in a minute; what "
            "you see is kept."
        )
    return (
        f"Something went wrong on the server (reference {reference}): try again; if it happens again, tell "
        "whoever runs this page the reference."
    )


def _pseudonym(session: str) -> str:
    """Tells one visitor's lines from another's, without the name that Gradio gave the session."""
    return sha256(session.encode()).hexdigest()[:8]
