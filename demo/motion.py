"""Somebody who moves: a short clip followed from frame to frame, or the pictures of a camera, one by one.

Nothing is kept: a clip lives in its visitor's session, a camera's picture no longer than its answer.
"""

import base64
import io
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from hmnet.errors import BoxError, HMNetError, ImageError, VideoError
from hmnet.finite import finite_array
from hmnet.image import read_image
from hmnet.predictor import Prediction, Predictor
from hmnet.video.clip import open_clip
from hmnet.video.tracking import Tracker

MOST_SECONDS, MOST_RATE = 10, 15
"""Of a clip: its length at most, and frames a second that are taken at most."""
SHOWN_SIDE, QUALITY = 480, 80
"""px of a clip's longer side as it is followed and shown, and JPEG's quality of its frames."""
MOST_PICTURE = 400_000
"""Bytes of a camera's picture, as text."""
LIVE_SIDE = 640
"""px; a camera's picture may be larger, but is not looked at so."""
AT_ONCE = 3
"""Cameras' pictures that wait or are answered at a time; more are told to come again."""
BUSY = "The networks are busy with other visitors: trying again."


@dataclass(frozen=True)
class Moment:
    """One frame. seconds: since the first. picture: JPEG. prediction: of the person, without pictures of its
    own; None where nobody is."""

    seconds: float
    picture: bytes
    prediction: Prediction | None


@dataclass(frozen=True)
class Film:
    """A clip as it was followed. rate: frames a second. size: (width, height) px of its frames. notice: what
    was left out of it, in one sentence, or empty."""

    rate: float
    size: tuple[int, int]
    moments: tuple[Moment, ...]
    notice: str = ""

    @property
    def found(self) -> int:
        """Frames in which the person is."""
        return sum(moment.prediction is not None for moment in self.moments)


def follow(predictor: Predictor, clip: Path | bytes) -> Iterator[tuple[int, int | None, Film | None]]:
    """The person in a clip, frame by frame: how many are done, of how many, and at last the film.

    Raises VideoError for what is no usable clip, is too long, or shows nobody.
    """
    source = open_clip(clip, fps=MOST_RATE, longest=SHOWN_SIDE, most_seconds=MOST_SECONDS)
    tracker, moments = Tracker(predictor), []
    for frame in source:
        prediction = tracker.follow(frame.image)
        moments.append(Moment(frame.seconds, _jpeg(frame.image), _without_pictures(prediction)))
        yield len(moments), source.frame_count, None
    film = Film(source.fps, source.size, tuple(moments), source.notice or "")
    if not film.found:
        raise VideoError("Nobody was found in the clip: take one that shows a whole person.")
    yield len(moments), len(moments), film


def _without_pictures(prediction: Prediction | None) -> Prediction | None:
    """What a session keeps: a frame's pixels and maps would take 1 MB, a hundred times the mesh."""
    if prediction is None:
        return None
    nothing = np.empty((0, 0), np.uint8)
    return replace(
        prediction, image=nothing, part_map=nothing, labels=nothing, seen=np.empty((0, 0), np.float32)
    )


def _jpeg(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


def drawing(film: Film, token: str) -> dict:
    """What the view's scripts take: pictures, raw vertices (float16) and cameras of all frames."""
    return {
        "token": token,
        "rate": film.rate,
        "size": list(film.size),
        "frames": [
            {
                "seconds": round(moment.seconds, 3),
                "picture": "data:image/jpeg;base64," + base64.b64encode(moment.picture).decode(),
                **({} if moment.prediction is None else _person(moment.prediction)),
            }
            for moment in film.moments
        ],
    }


def _person(prediction: Prediction) -> dict:
    """The raw mesh and the camera that lays it over the frame."""
    return {
        "raw": base64.b64encode(prediction.raw_vertices.astype("<f2").tobytes()).decode(),
        "camera": [round(float(number), 5) for number in prediction.camera],
    }


class Live:
    """Answers a camera's pictures, each by itself: what must be known of the last one comes with the next."""

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor
        self._places = threading.BoundedSemaphore(AT_ONCE)

    def answer(self, message: dict) -> dict:
        """message: "picture", a JPEG as a data URL, and "box", where the person was last, or None.

        Returns the mesh as "raw" and "camera", "box" to send with the next picture, "ms"; "nobody" where
        nobody is seen; "busy" with a sentence when it is to be sent again; "problem" for what is no picture.
        """
        if not self._places.acquire(blocking=False):
            return {"busy": BUSY}
        try:
            return self._answer(*_received(message))
        except HMNetError as error:
            return {"problem": str(error)}
        finally:
            self._places.release()

    def _answer(self, image: np.ndarray, box: np.ndarray | None) -> dict:
        start = time.perf_counter()
        tracker = Tracker(self._predictor, box)
        try:
            prediction = tracker.follow(image)
        except BoxError:
            prediction = None
        taken = {"ms": round(1000 * (time.perf_counter() - start), 1)}
        if prediction is None:
            return {"nobody": True, **taken}
        next_box = None if tracker.box is None else [round(float(edge), 1) for edge in tracker.box]
        return {**_person(prediction), "box": next_box, **taken}


def _received(message: object) -> tuple[np.ndarray, np.ndarray | None]:
    """The picture (H, W, 3) uint8 and the box (4,) of a message; ImageError for anything else."""
    picture = message.get("picture") if isinstance(message, dict) else None
    head, _, data = picture.partition("base64,") if isinstance(picture, str) else ("", "", "")
    if head != "data:image/jpeg;" or len(data) > MOST_PICTURE:
        raise ImageError(
            f"Expected the camera's picture as a JPEG of at most {MOST_PICTURE // 1000} kB: start it again."
        )
    try:
        file = base64.b64decode(data, validate=True)
    # A binascii.Error is one; another tells of signs that are not even ASCII.
    except ValueError as error:
        raise ImageError("The camera's picture did not arrive whole: start it again.") from error
    image = read_image(file, LIVE_SIDE)
    return image, _box_of(message.get("box"), image)


def _box_of(box: object, image: np.ndarray) -> np.ndarray | None:
    """A box (4,) within the image, or None: a browser may send anything."""
    checked = finite_array(box, (4,))
    if checked is None:
        return None
    height, width = image.shape[:2]
    checked = checked.clip(0, [width, height, width, height])
    return checked if (checked[2:] > checked[:2]).all() else None


def progress_line(done: int, total: int | None) -> str:
    """HTML: how far it is."""
    share = f' value="{done}" max="{total}"' if total else ""
    of = f" of {total}" if total else ""
    return f'<p class="motion-progress"><progress{share}></progress> {done}{of} frames followed</p>'


def film_line(film: Film) -> str:
    """HTML: what came of a clip."""
    lost = len(film.moments) - film.found
    words = f"{len(film.moments)} frames, {film.rate:.0f} a second" + (
        f"; nobody found in {lost} of them (marked on the bar)" if lost else ""
    )
    return f'<p class="motion-progress">{words}. {film.notice}</p>'
