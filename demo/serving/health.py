"""Whether the server lives, and whether it can take work: for whoever starts, restarts and balances it."""

import shutil
from collections.abc import Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo.serving.metrics import Metrics

Check = Callable[[], bool]


def routes(checks: dict[str, Check], metrics: Metrics) -> list[Route]:
    """/healthz: 200 as long as the process answers. /readyz: 200 where all checks hold, else 503 with those
    that do not. /metrics: the figures.

    checks: by name, each quick and without side effects; one that raises does not hold.
    """

    async def healthz(request: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def readyz(request: Request) -> Response:
        failing = [name for name, check in checks.items() if not _holds(check)]
        if failing:
            return JSONResponse({"status": "not ready", "failing": failing}, 503)
        return JSONResponse({"status": "ready"})

    async def figures(request: Request) -> Response:
        return Response(metrics.text(), media_type=metrics.content_type)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", figures)]


def has_room(folder: Path, least: int) -> bool:
    """Whether the folder's disk has so many bytes left."""
    return shutil.disk_usage(folder).free >= least


def _holds(check: Check) -> bool:
    try:
        return check()
    except Exception:  # whatever a check stumbles over is what it was to find out
        return False
