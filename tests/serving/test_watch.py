"""Listeners under watch: what is counted, what is logged, and what a visitor reads when something breaks."""

import errno
import json
import logging

import gradio as gr
import httpx
import pytest

from demo.serving.logs import JsonLines
from demo.serving.metrics import Metrics
from demo.serving.watch import watched
from hmnet.errors import OutputError
from tests.load.protocol import Browser, FailedError


@pytest.fixture
def blocks():
    with gr.Blocks(analytics_enabled=False) as made:
        pass
    return made.queue()


@pytest.fixture
def lines(caplog):
    """The log as JSON objects, one for each line."""
    caplog.set_level(logging.INFO, "hmnet.serving")
    return lambda: [json.loads(JsonLines().format(record)) for record in caplog.records]


def count(metrics: Metrics, outcome: str) -> float:
    return metrics.events.labels("listener", outcome)._value.get()


def test_an_answer_passes_and_is_counted_and_logged(blocks, lines):
    metrics = Metrics()
    assert watched(lambda x: x + 1, "listener", blocks, metrics)(2) == 3
    (line,) = lines()
    assert line["event"] == "listener" and line["outcome"] == "done" and line["ms"] >= 0
    assert count(metrics, "done") == 1 and b"hmnet_event_seconds_count" in metrics.text()


def test_an_unexpected_error_becomes_a_sentence_with_a_reference_to_the_log(blocks, lines):
    def listener():
        raise KeyError("the visitor's secret")

    with pytest.raises(gr.Error) as seen:
        watched(listener, "listener", blocks, Metrics())()
    failure, summary = lines()
    assert failure["reference"] in str(seen.value) and "secret" not in str(seen.value)
    assert "KeyError" in failure["traceback"] and summary["outcome"] == "failed"
    assert seen.value.print_exception is False


def test_a_full_disk_is_told_as_one(blocks):
    def listener():
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(gr.Error, match="cannot write files just now"):
        watched(listener, "listener", blocks, Metrics())()


@pytest.mark.parametrize("error", [gr.Error("Take another photo."), OutputError("Take another photo.")])
def test_what_is_meant_for_the_visitor_arrives_as_it_is(blocks, lines, error):
    def listener():
        raise error

    metrics = Metrics()
    with pytest.raises(gr.Error, match=r"^'Take another photo\.'$"):
        watched(listener, "listener", blocks, metrics)()
    assert count(metrics, "mistake") == 1 and all("traceback" not in line for line in lines())


def test_steps_are_passed_one_by_one_and_one_who_leaves_is_told_from_one_who_fails(blocks):
    metrics, closed = Metrics(), []

    def listener():
        try:
            yield from range(3)
        finally:
            closed.append(True)

    steps = watched(listener, "listener", blocks, metrics)()
    assert next(steps) == 0 and not closed
    steps.close()
    assert closed and count(metrics, "cancelled") == 1
    assert list(watched(listener, "listener", blocks, metrics)()) == [0, 1, 2]
    assert count(metrics, "done") == 1


def test_the_served_page_answers_the_next_visitor_after_a_failure(
    run, address, layout, photo, predictor, caplog
):
    caplog.set_level(logging.INFO, "hmnet.serving")
    sent = layout.listener("photo-input", "upload")

    async def visit():
        async with httpx.AsyncClient(base_url=address, timeout=30) as client:
            browser = Browser(client, layout)
            values = layout.values(sent)
            values[0] = await browser.upload("my-holiday.jpg", photo)
            predictor.failure = RuntimeError("a bug")
            with pytest.raises(FailedError, match="Something went wrong on the server"):
                await browser.run(sent, values)
            values[0] = await browser.upload("my-holiday.jpg", photo)
            return await browser.run(sent, values)

    answer = run(visit)
    assert answer[sent.outputs.index(layout.id_of("viewer"))]["panes"]
    log = "\n".join(JsonLines().format(record) for record in caplog.records)
    assert "a bug" in log and '"waited_ms"' in log
    # Nothing of the photo but how long it took: no name, no folder.
    assert "my-holiday" not in log and "base64" not in log


def test_health_readiness_and_figures(address):
    assert httpx.get(f"{address}/healthz").json() == {"status": "alive"}
    assert httpx.get(f"{address}/readyz").json() == {"status": "ready"}
    figures = httpx.get(f"{address}/metrics")
    assert figures.headers["content-type"].startswith("text/plain")
    names = {line.split("{")[0].split(" ")[0] for line in figures.text.splitlines() if line[0] != "#"}
    assert {"hmnet_waiting", "hmnet_running", "hmnet_sessions", "process_resident_memory_bytes"} <= names
