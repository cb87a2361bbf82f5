"""What one visitor does, again and again: opens the page, sends a photo, moves a slider, saves, leaves."""

import asyncio
import base64
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

import httpx
import numpy as np

from tests.load.photos import TOLERANCE, Photo, whose
from tests.load.protocol import Browser, FailedError, Layout, RefusedError

THINKS = (3.0, 10.0)
"""Seconds between two things that a visitor does, from and to."""
LEAVES = 0.15
"""Share of visits that end while the photo is waiting."""
RAW_PANE = "raw"


@dataclass
class Tally:
    """What happened to all visitors. seconds: by what was done, of each time it succeeded."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    counts: Counter = field(default_factory=Counter)
    errors: Counter = field(default_factory=Counter)


class Visitor:
    """Comes back under another name after every visit, with the same photo."""

    def __init__(
        self, client: httpx.AsyncClient, layout: Layout, photos: list[Photo], own: int, tally: Tally
    ) -> None:
        """own: which of the photos is this visitor's."""
        self._client, self._layout, self._tally = client, layout, tally
        self._photos, self._own = photos, own
        self._random = random.Random(own)

    async def keep_visiting(self, until: float) -> None:
        """until: on the clock of `time.monotonic`."""
        await asyncio.sleep(self._random.uniform(0, THINKS[1]))
        while time.monotonic() < until:
            try:
                await self._visit()
                self._tally.counts["visits"] += 1
            except (FailedError, httpx.HTTPError) as error:
                self._tally.errors[f"{type(error).__name__}: {error}"[:160]] += 1
            await self._think()

    async def _visit(self) -> None:
        browser, layout = Browser(self._client, self._layout), self._layout
        page = await self._client.get("/")
        if page.status_code != httpx.codes.OK:
            raise FailedError(f"the page gave {page.status_code}")
        opened = layout.listener(None, "load")
        await self._timed("open the page", lambda: browser.run(opened, layout.values(opened)))
        await self._think()

        sent = layout.listener("photo-input", "upload")
        if self._random.random() < LEAVES:
            await self._leave_early(browser)
            return
        answer = await self._timed("photo to mesh", lambda: self._send_photo(browser))
        self._check(answer[sent.outputs.index(layout.id_of("viewer"))])

        for iterations in (3, 1):
            await self._think()
            await self._timed("move a slider", partial(self._move_slider, browser, iterations))

        saved = layout.listener("save-json", "click")
        (described,) = await self._timed("save a file", lambda: browser.run(saved, layout.values(saved)))
        self._check_file(await browser.file(described))

    async def _send_photo(self, browser: Browser) -> list:
        sent = self._layout.listener("photo-input", "upload")
        values = self._layout.values(sent)
        values[0] = await browser.upload("photo.jpg", self._photos[self._own].content)
        return await browser.run(sent, values)

    async def _move_slider(self, browser: Browser, iterations: int) -> list:
        moved = self._layout.listener("iterations", "input")
        values = self._layout.values(moved)
        values[moved.inputs.index(self._layout.id_of("iterations"))] = iterations
        return await browser.run(moved, values)

    async def _leave_early(self, browser: Browser) -> None:
        sent = self._layout.listener("photo-input", "upload")
        values = self._layout.values(sent)
        try:
            values[0] = await browser.upload("photo.jpg", self._photos[self._own].content)
            await browser.join(sent, values)
        except RefusedError:
            self._tally.counts["refused"] += 1
            return
        await browser.leave_while_waiting(self._random.uniform(0.05, 1.0))
        self._tally.counts["left while waiting"] += 1

    async def _timed(self, what: str, action: Callable[[], Awaitable[list]]) -> list:
        """The action's answer, timed; refused, it is tried again when the server said."""
        while True:
            start = time.monotonic()
            try:
                answer = await action()
            except RefusedError as refused:
                self._tally.counts["refused"] += 1
                await asyncio.sleep(refused.seconds * self._random.uniform(1, 1.5))
                continue
            self._tally.seconds[what].append(time.monotonic() - start)
            return answer

    def _check(self, drawing: dict) -> None:
        pane = next(one for one in drawing["panes"] if one["name"] == RAW_PANE)
        vertices = np.frombuffer(base64.b64decode(pane["vertices"]), "<f4").reshape(-1, 3)
        nearest, distance = whose(vertices, self._photos)
        if nearest != self._own or distance > TOLERANCE:
            self._tally.errors[f"mesh of another photo ({distance:.1f} mm from the nearest)"] += 1
        else:
            self._tally.counts["meshes checked"] += 1

    def _check_file(self, content: bytes) -> None:
        joints = np.array(list(json.loads(content)["joint_branch"].values()))
        own = self._photos[self._own].joints
        if 1000 * np.linalg.norm(joints - own, axis=1).mean() > TOLERANCE:
            self._tally.errors["file of another photo"] += 1
        else:
            self._tally.counts["files checked"] += 1

    async def _think(self) -> None:
        await asyncio.sleep(self._random.uniform(*THINKS))
