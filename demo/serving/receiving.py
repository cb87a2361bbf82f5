"""Uploads, each into a folder of its own.

Gradio names an upload's folder by the file's content: whoever has a file can then tell whether somebody else
sent it, and of two equal photos sent at the same time the second is gone once the first was read.
"""

from pathlib import Path
from secrets import token_hex

import gradio as gr
from gradio.route_utils import upload_fn
from gradio.routes import file_upload_statuses
from gradio.utils import get_upload_folder
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo.serving.gate import UPLOAD
from demo.serving.limits import Limits
from demo.serving.logs import tell

NOT_WRITTEN = "The server could not keep the file: send it again in a minute."


def route(blocks: gr.Blocks, limits: Limits) -> Route:
    """Takes the place of Gradio's own route for uploads."""

    async def receive(request: Request) -> Response:
        folder = Path(get_upload_folder()) / token_hex(16)
        upload_id = request.query_params.get("upload_id")
        try:
            files, _, _ = await upload_fn(
                request, folder, limits.upload_bytes, upload_id,
                upload_progress=file_upload_statuses if upload_id else None,
            )  # fmt: skip
        except MultiPartException as error:
            return JSONResponse({"detail": error.message}, 413 if "size" in error.message else 400)
        except OSError as error:
            tell("An upload could not be written.", error=error.strerror)
            return JSONResponse({"detail": NOT_WRITTEN}, 507)
        blocks.upload_file_set.update(files)
        return JSONResponse([str(file) for file in files])

    return Route(UPLOAD, receive, methods=["POST"])
