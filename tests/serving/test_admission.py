"""The queue as visitors see it: places, refusals with a number, cancelling, leaving."""

import asyncio
import time
from contextlib import asynccontextmanager

import httpx
import numpy as np
import pytest
from small_limits import LIMITS

from tests.load.protocol import Browser, RefusedError

WAITING = "hmnet_waiting "


@pytest.fixture(autouse=True)
def drained(address, predictor):
    """No test leaves work behind for the next one."""
    yield
    predictor.hold.set()
    wait_until(lambda: figure(address, WAITING) + figure(address, "hmnet_running ") == 0)


def figure(address: str, name: str) -> float:
    lines = httpx.get(f"{address}/metrics").text.splitlines()
    return float(next((line.rsplit(" ", 1)[1] for line in lines if line.startswith(name)), 0))


def wait_until(holds, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


@asynccontextmanager
async def client(address):
    async with httpx.AsyncClient(base_url=address, timeout=30) as one:
        yield one


async def send_photo(browser: Browser, photo: bytes) -> str:
    """Joins the queue with a photo; the event's id."""
    sent = browser.layout.listener("photo-input", "upload")
    values = browser.layout.values(sent)
    values[0] = await browser.upload("photo.jpg", photo)
    return await browser.join(sent, values)


async def fill(one, layout, photo) -> list[Browser]:
    """Visitors with a photo each, one that runs and as many more as may wait."""
    browsers = []
    for _ in range(1 + LIMITS.waiting):
        browsers.append(Browser(one, layout))
        await send_photo(browsers[-1], photo)
        await asyncio.sleep(0.3 if len(browsers) == 1 else 0)
    return browsers


def test_a_full_server_says_how_many_are_ahead(run, address, layout, photo, held):
    async def visits():
        async with client(address) as one:
            await fill(one, layout, photo)
            ready = await one.get("/readyz")
            with pytest.raises(RefusedError) as refused:
                await send_photo(Browser(one, layout), photo)
            return ready, refused.value

    ready, refused = run(visits)
    assert str(refused).startswith(f"The server is full: {LIMITS.waiting} ahead of you")
    assert "nothing you have here is lost" in str(refused) and refused.seconds >= 1
    assert ready.status_code == 503 and ready.json()["failing"] == ["queue"]
    held.set()
    wait_until(lambda: httpx.get(f"{address}/readyz").status_code == 200)


def test_after_the_rush_everybody_has_an_answer_of_their_own(run, address, layout, photo, held):
    async def visits():
        async with client(address) as one:
            browsers = await fill(one, layout, photo)
            held.set()
            return await asyncio.gather(*(browser.answer() for browser in browsers))

    answers = run(visits)
    viewer = layout.listener("photo-input", "upload").outputs.index(layout.id_of("viewer"))
    people = [answer[viewer]["person"] for answer in answers]
    assert len(set(people)) == 1 + LIMITS.waiting
    assert all(np.isfinite(answer[viewer]["panes"][0]["opacity"]) for answer in answers)


def test_one_visitor_cannot_take_all_places(run, address, layout, photo, held):
    async def visits():
        async with client(address) as one:
            greedy, other = Browser(one, layout), Browser(one, layout)
            await send_photo(greedy, photo)
            await asyncio.sleep(0.3)
            for _ in range(LIMITS.per_visitor):
                await send_photo(greedy, photo)
            with pytest.raises(RefusedError, match="2 of your requests are waiting already"):
                await send_photo(greedy, photo)
            await send_photo(other, photo)

    run(visits)


def test_programs_wait_in_the_same_queue(run, address, layout, photo, held):
    async def visits():
        async with client(address) as one:
            await fill(one, layout, photo)
            file = await Browser(one, layout).upload("photo.jpg", photo)
            return await one.post("/gradio_api/call/reconstruct", json={"data": [file, None, True]})

    answer = run(visits)
    assert answer.status_code == 429 and answer.json()["detail"].startswith("The server is full")
    assert int(answer.headers["retry-after"]) >= 1


def test_whoever_leaves_gives_the_place_back_and_the_networks_do_not_run(
    run, address, layout, photo, held, predictor
):
    calls = predictor.calls

    async def visits():
        async with client(address) as one:
            browsers = await fill(one, layout, photo)
            waiting = figure(address, WAITING)
            for browser in browsers[1:]:
                await browser.leave_while_waiting(0.2)
            return waiting

    assert run(visits) == LIMITS.waiting
    wait_until(lambda: figure(address, WAITING) == 0)
    held.set()
    wait_until(lambda: figure(address, "hmnet_running ") == 0)
    assert predictor.calls == calls + 1


def test_a_cancelled_event_gives_the_place_back(run, address, layout, photo, held, predictor):
    calls, sent = predictor.calls, layout.listener("photo-input", "upload")

    async def visits():
        async with client(address) as one:
            await send_photo(Browser(one, layout), photo)
            await asyncio.sleep(0.3)
            browser = Browser(one, layout)
            event = await send_photo(browser, photo)
            before = figure(address, WAITING)
            body = {"session_hash": browser.session, "fn_index": sent.index, "event_id": event}
            await one.post("/gradio_api/cancel", json=body)
            return before, figure(address, WAITING)

    assert run(visits) == (1, 0)
    held.set()
    wait_until(lambda: figure(address, "hmnet_running ") == 0)
    assert predictor.calls == calls + 1
