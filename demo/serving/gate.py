"""The outermost layer: only the page's own routes, bodies of bounded size, security headers on all answers.

Gradio serves more than this page needs: a proxy, a reader of addresses, histories, a page's own editor. What
is not named here does not exist for the outside, whatever a later version of Gradio adds.
"""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import anyio
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.serving.limits import MEGABYTE, Limits
from demo.serving.metrics import Metrics

API = "/gradio_api"
READ = re.compile(
    r"/|/(config|theme\.css|favicon\.ico|robots\.txt|manifest\.json|healthz|readyz|metrics)/?"
    r"|/(static|assets|svelte)/.+|/pwa_icon(/\d+)?"
    r"|/gradio_api/(info|openapi\.json|startup-events|app_id|user|token|login_check|theme\.css|mcp)/?"
    r"|/gradio_api/(mcp/(schema|sse|http)|queue/(data|status)|upload_progress|heartbeat/\w+)/?"
    r"|/gradio_api/call/(v2/)?\w+/\w+|/gradio_api/file=.+"
)
WRITE = re.compile(
    r"/gradio_api/(queue/join|cancel|reset|upload|component_server|call/(v2/)?\w+)/?"
    r"|/gradio_api/mcp(/(http|messages))?/?"
)
METHODS = {"GET": READ, "HEAD": READ, "OPTIONS": READ, "POST": WRITE, "DELETE": re.compile(API + r"/mcp/?.*")}
UPLOAD = API + "/upload"
FILE = API + "/file="
SCHEME = re.compile(r"[^/]*:|//|\\\\")
"""How a file's name begins that is no path on this machine."""
SPACE_SCRIPT = "https://cdnjs.cloudflare.com"
"""Where Gradio's page takes the script from that fits a Space into the frame around it."""


class Refusal(Exception):
    """Ends a request: status, sentence for whoever sent it, reason for the figures."""

    def __init__(self, status: int, sentence: str, reason: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.reason = status, sentence, reason


class Gate:
    """ASGI middleware around the whole app."""

    def __init__(
        self, app: ASGIApp, limits: Limits, metrics: Metrics, folder: Callable[[], str | os.PathLike]
    ) -> None:
        """folder: where uploads go."""
        self._app, self._limits, self._metrics, self._folder = app, limits, metrics, folder
        self._uploads = 0
        self._headers = [(name.encode(), value.encode()) for name, value in security_headers().items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, self._headers)
        uploading = scope["path"].rstrip("/") == UPLOAD
        try:
            self._check_route(scope)
            self._check_size(scope, uploading)
            if uploading:
                self._check_room()
            self._uploads += uploading
            try:
                await self._app(scope, self._bounded(receive, uploading), answer.send)
            finally:
                self._uploads -= uploading
        except Refusal as refusal:
            self._metrics.refused.labels(refusal.reason).inc()
            if answer.started:
                raise
            response = JSONResponse({"detail": refusal.sentence}, refusal.status)
            await response(scope, receive, answer.send)

    def _check_route(self, scope: Scope) -> None:
        path, routes = scope["path"], METHODS.get(scope["method"])
        if routes is None or not routes.fullmatch(path):
            raise Refusal(404, "There is nothing here.", "route")
        if path.startswith(FILE) and SCHEME.match(path.removeprefix(FILE)):
            raise Refusal(403, "This server hands out its own files only.", "route")

    def _most_bytes(self, uploading: bool) -> int:
        # An upload is wrapped in a form, whose lines are not the file's.
        return self._limits.upload_bytes + MEGABYTE // 16 if uploading else self._limits.body_bytes

    def _check_size(self, scope: Scope, uploading: bool) -> None:
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if not length.isdigit() or int(length) > self._most_bytes(uploading):
            raise self._too_large(uploading)

    def _too_large(self, uploading: bool) -> Refusal:
        most = (self._limits.upload_bytes if uploading else self._limits.body_bytes) // MEGABYTE
        return Refusal(413, f"This is larger than the {most} MB that are taken: make it smaller.", "size")

    def _check_room(self) -> None:
        if self._uploads >= self._limits.uploads:
            raise Refusal(429, "Too many files are being sent just now: try again in a moment.", "uploads")
        folder = Path(self._folder())
        while not folder.exists():
            folder = folder.parent
        if shutil.disk_usage(folder).free < self._limits.free_bytes:
            raise Refusal(507, "The server's disk is full: try again in some minutes.", "disk")

    def _bounded(self, receive: Receive, uploading: bool) -> Receive:
        """What comes in, counted, and refused once it is too much or too slow."""
        received, done = 0, False
        deadline = anyio.current_time() + self._limits.seconds

        async def bounded() -> Message:
            nonlocal received, done
            # After the body comes only the visitor's leaving, for which an answer may wait for long.
            if done:
                return await receive()
            try:
                with anyio.fail_after(deadline - anyio.current_time()):
                    message = await receive()
            except TimeoutError as error:
                raise Refusal(408, "This took too long to arrive: send it again.", "slow") from error
            received += len(message.get("body", b""))
            done = not message.get("more_body", False)
            if received > self._most_bytes(uploading):
                raise self._too_large(uploading)
            return message

        return bounded


class _Answer:
    """Passes an answer on with further headers; knows whether it has begun."""

    def __init__(self, send: Send, headers: list[tuple[bytes, bytes]]) -> None:
        self._send, self._headers, self.started = send, headers, False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            message = {**message, "headers": [*message.get("headers", []), *self._headers]}
        await self._send(message)


def security_headers() -> dict[str, str]:
    """Headers for every answer: the page talks to this server alone, and only it and Spaces may frame it."""
    # Gradio's page begins with scripts of its own in it, and makes functions of a listener's `js`.
    scripts = "'self' 'unsafe-inline' 'unsafe-eval' blob:"
    if os.environ.get("SPACE_ID"):
        scripts += f" {SPACE_SCRIPT}"
    policy = {
        "default-src": "'self'",
        "script-src": scripts,
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "media-src": "'self' data: blob: mediastream:",
        "font-src": "'self' data:",
        "connect-src": "'self' data: blob:",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'self' https://huggingface.co https://*.hf.space",
    }
    return {
        "content-security-policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "permissions-policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=()",
        "cross-origin-resource-policy": "same-origin",
    }
