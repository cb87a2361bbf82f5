"""The page as a browser uses it: its configuration, its queue, its uploads and files, without a browser."""

import json
from dataclasses import dataclass, field
from secrets import token_hex

import httpx

API = "/gradio_api"
REFUSED = 429
EVENT_SECONDS = 120.0
"""After which an event that gives no answer counts as an error."""


class RefusedError(Exception):
    """The server had no place and said so. seconds: until when it asked to wait."""

    def __init__(self, sentence: str, seconds: float) -> None:
        super().__init__(sentence)
        self.seconds = seconds


class FailedError(Exception):
    """Anything else that is no answer."""


@dataclass(frozen=True)
class Listener:
    """One listener of the page: its number, its inputs' and outputs' component ids."""

    index: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


class Layout:
    """What the page's configuration says about its listeners and components."""

    def __init__(self, config: dict) -> None:
        self._components = {one["id"]: one for one in config["components"]}
        self._dependencies = config["dependencies"]

    def listener(self, element: str | None, event: str) -> Listener:
        """The first listener, with a function behind it, of an element (its elem_id; None is the page)."""
        for one in self._dependencies:
            for target, name in one["targets"]:
                if one["backend_fn"] and name == event and self._element(target) == element:
                    return Listener(one["id"], tuple(one["inputs"]), tuple(one["outputs"]))
        raise LookupError(f"No listener of {element!r} for {event!r}.")

    def id_of(self, element: str) -> int:
        return next(i for i in self._components if self._element(i) == element)

    def values(self, listener: Listener) -> list:
        """What the page sends of its inputs while nobody has touched them; states stay on the server."""
        components = (self._components[i] for i in listener.inputs)
        return [None if one["type"] == "state" else one["props"].get("value") for one in components]

    def _element(self, component: int) -> str | None:
        return self._components.get(component, {}).get("props", {}).get("elem_id")


@dataclass
class Browser:
    """One visitor's connection. session: Gradio's name for the visitor. notices: what the page said."""

    client: httpx.AsyncClient
    layout: Layout
    session: str = field(default_factory=lambda: token_hex(6))
    notices: list[str] = field(default_factory=list)

    async def run(self, listener: Listener, data: list, event_data: object = None) -> list:
        """What a listener gives for these inputs. Raises RefusedError, FailedError."""
        await self.join(listener, data, event_data)
        return await self.answer()

    async def join(self, listener: Listener, data: list, event_data: object = None) -> str:
        """Puts an event into the queue, where nobody listens for its answer yet; its id."""
        body = {
            "data": data, "fn_index": listener.index, "session_hash": self.session,
            "event_data": event_data, "trigger_id": None,
        }  # fmt: skip
        answer = await self.client.post(f"{API}/queue/join", json=body)
        if answer.status_code == REFUSED:
            raise RefusedError(answer.json()["detail"], float(answer.headers["Retry-After"]))
        if answer.status_code != httpx.codes.OK:
            raise FailedError(f"joining gave {answer.status_code}: {answer.text[:200]}")
        return answer.json()["event_id"]

    async def leave_while_waiting(self, seconds: float) -> None:
        """Listens for the answer and goes away before it comes, or with it."""
        timeout = httpx.Timeout(EVENT_SECONDS, read=seconds)
        try:
            async with self._stream(timeout) as stream:
                async for _ in stream.aiter_lines():
                    pass
        except httpx.ReadTimeout:
            return

    async def upload(self, name: str, content: bytes) -> dict:
        """Gradio's description of a file that was sent."""
        answer = await self.client.post(f"{API}/upload", files={"files": (name, content, "image/jpeg")})
        if answer.status_code == REFUSED:
            raise RefusedError(answer.json()["detail"], 1.0)
        if answer.status_code != httpx.codes.OK:
            raise FailedError(f"the upload gave {answer.status_code}: {answer.text[:200]}")
        return {"path": answer.json()[0], "orig_name": name, "meta": {"_type": "gradio.FileData"}}

    async def file(self, described: dict) -> bytes:
        """The content of a file that a listener made."""
        answer = await self.client.get(f"{API}/file={described['path']}")
        if answer.status_code != httpx.codes.OK:
            raise FailedError(f"the file gave {answer.status_code}")
        return answer.content

    async def answer(self) -> list:
        """What comes of the event that was put into the queue."""
        async with self._stream(EVENT_SECONDS) as stream:
            async for line in stream.aiter_lines():
                message = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
                if message.get("msg") == "log":
                    self.notices.append(message["log"])
                if message.get("msg") == "process_completed":
                    output = message["output"]
                    if not message["success"]:
                        raise FailedError(f"the event failed: {output.get('error')}")
                    return output["data"]
                if message.get("msg") == "unexpected_error":
                    raise FailedError(f"the server stopped the event: {message.get('message')}")
        raise FailedError("the stream ended without an answer")

    def _stream(self, timeout: httpx.Timeout | float):
        parameters = {"session_hash": self.session}
        return self.client.stream("GET", f"{API}/queue/data", params=parameters, timeout=timeout)
