"""A video as files: what `python -m hmnet predict` leaves behind for each one."""

import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch

from hmnet.body import PART_COLOURS, BodyTemplate
from hmnet.errors import NoPersonFoundError, OutputError
from hmnet.export import save, write_glb
from hmnet.predictor import Prediction, Predictor
from hmnet.render import overlay
from hmnet.report import PIXEL_DIGITS, summary
from hmnet.video.animation import KeyFrames, write_animation
from hmnet.video.clip import Clip, Frame
from hmnet.video.overlap import WriteBehind
from hmnet.video.smoothing import Smoother, Smoothing
from hmnet.video.tracking import Tracker
from hmnet.video.writing import VideoWriter

SECOND_DIGITS = 4


@dataclass(frozen=True)
class VideoOptions:
    """box: (4,) px of the upright video, of the person in the first frame; None finds one. smoothing: None
    leaves every frame as it was answered. frame_meshes: whether each frame gets a .glb of its own."""

    box: np.ndarray | None = None
    smoothing: Smoothing | None = field(default_factory=Smoothing)
    frame_meshes: bool = True


def write_video_report(
    folder: Path, name: str, clip: Clip, frames: Iterable[Frame], predictor: Predictor, options: VideoOptions
) -> dict:
    """Follow a person through a video, write the files and return what NAME.json holds.

    NAME/000000.json and .glb for each frame with the person, numbered as in the video; NAME_overlay.mp4;
    NAME.glb, animated; and, last, NAME.json. frames: those of the clip. Interrupting (KeyboardInterrupt)
    finishes the files with what was done before it goes on its way. Raises NoPersonFoundError when no frame
    shows a person, VideoError, BoxError and OutputError.
    """
    writer = _FrameWriter(folder, name, clip, predictor.body, options.frame_meshes)
    tracker = Tracker(predictor, _scaled(options.box, clip))
    smoother = None if options.smoothing is None else Smoother(predictor, options.smoothing)
    log = _Log()
    interrupt = None
    with writer, WriteBehind(writer.write) as behind:
        try:
            for frame in frames:
                prediction = tracker.follow(frame.image)
                if smoother is not None:
                    prediction = smoother.smooth(prediction, frame.seconds)
                log.add(frame, prediction)
                behind.give((frame, prediction))
        except KeyboardInterrupt as error:
            interrupt = error
    found = log.found()
    if found:
        write_animation(folder / f"{name}.glb", writer.keys, predictor.body)
        content = _content(clip, predictor, options, log, writer.timings, interrupt is not None)
        save(folder / f"{name}.json", json.dumps(content, indent=1).encode())
    else:
        writer.remove()
    if interrupt is not None:
        raise interrupt
    if not found:
        raise NoPersonFoundError(
            f"No person was found in any of {len(log.frames)} frames of {clip.name}: take a video that shows "
            "a whole person, or mark the person in the first frame with a box."
        )
    return content


class _Log:
    """What is known of each frame: number, moment, box or None; the stages' ms; when it began."""

    def __init__(self) -> None:
        self.frames: list[dict] = []
        self.timings: dict[str, list[float]] = {}
        self.begin = time.perf_counter()

    def add(self, frame: Frame, prediction: Prediction | None) -> None:
        box = None if prediction is None else [round(float(v), PIXEL_DIGITS) for v in prediction.box]
        self.frames.append({"frame": frame.index, "seconds": round(frame.seconds, SECOND_DIGITS), "box": box})
        for stage, ms in (prediction.timings if prediction else {}).items():
            self.timings.setdefault(stage, []).append(ms)

    def found(self) -> int:
        return sum(frame["box"] is not None for frame in self.frames)


class _FrameWriter:
    """Writes what belongs to single frames, the overlay video among it; a thread may call `write`.

    keys: the meshes for the animation. timings: ms by stage, a list each.
    """

    def __init__(self, folder: Path, name: str, clip: Clip, body: BodyTemplate, meshes: bool) -> None:
        self._frames, self._clip, self._body, self._meshes = folder / name, clip, body, meshes
        _empty_folder(self._frames)
        self._overlay = VideoWriter(folder / f"{name}_overlay.mp4", clip.fps)
        self._faces, self._full_faces = body.faces.numpy(), body.full_faces.numpy()
        self._colours = np.array(PART_COLOURS, np.uint8)[body.full_vertex_parts.numpy()]
        self.keys = KeyFrames()
        self.timings: dict[str, list[float]] = {"draw": [], "encode": [], "files": []}

    def write(self, item: tuple[Frame, Prediction | None]) -> None:
        """A frame's files, its picture in the video and its mesh in the animation."""
        frame, prediction = item
        picture, times = frame.image, [time.perf_counter()]
        if prediction is not None:
            # The template itself: at a video's size the full surface looks the same and takes twice as long.
            picture = overlay(frame.image, prediction.vertices, self._faces, prediction.camera)
        times.append(time.perf_counter())
        self._overlay.write(picture, frame.seconds)
        times.append(time.perf_counter())
        if prediction is not None:
            self.keys.add(prediction.vertices, frame.seconds)
            self._write_files(frame, prediction)
        times.append(time.perf_counter())
        for stage, ms in zip(self.timings.values(), 1000 * np.diff(times), strict=True):
            stage.append(float(ms))

    def remove(self) -> None:
        """Take away what was written, after `close`."""
        self._overlay.path.unlink(missing_ok=True)
        _empty_folder(self._frames)
        if not any(self._frames.iterdir()):
            self._frames.rmdir()

    def __enter__(self) -> "_FrameWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._overlay.close()

    def _write_files(self, frame: Frame, prediction: Prediction) -> None:
        path = self._frames / f"{frame.index:06d}"
        if self._meshes:
            vertices = self._body.upsample(torch.from_numpy(prediction.vertices)).numpy()
            write_glb(path.with_suffix(".glb"), vertices, self._full_faces, self._colours)
        moment = {"frame": frame.index, "seconds": round(frame.seconds, SECOND_DIGITS)}
        content = {**moment, **summary(prediction, self._clip.name)}
        save(path.with_suffix(".json"), json.dumps(content, indent=1).encode())


def _content(
    clip: Clip,
    predictor: Predictor,
    options: VideoOptions,
    log: _Log,
    timings: dict[str, list[float]],
    interrupted: bool,
) -> dict:
    """What NAME.json holds: pixels are those of the frames, seconds count from the first frame."""
    info = predictor.checkpoint.info
    stages = {**log.timings, **timings}
    return {
        "video": clip.name,
        "video_size": list(clip.full_size),
        "size": list(clip.size),
        "fps": round(clip.rate, 3),
        "frame_count": len(log.frames),
        "frames_without_person": [one["frame"] for one in log.frames if one["box"] is None],
        "frames": log.frames,
        "smoothing": None if options.smoothing is None else asdict(options.smoothing),
        "interrupted": interrupted,
        "notice": clip.notice,
        "frames_per_second": round(len(log.frames) / (time.perf_counter() - log.begin), 1),
        "timings_ms": {stage: round(float(np.median(ms)), 2) for stage, ms in stages.items() if ms},
        "engine": predictor.engine.words,
        "weights": {"source": info.source, "variant": info.variant, "revision": info.revision},
    }


def _scaled(box: np.ndarray | None, clip: Clip) -> np.ndarray | None:
    """A box in px of the upright video as px of the frames, which may be smaller."""
    return None if box is None else np.asarray(box, np.float64) * (clip.size[0] / clip.full_size[0])


def _empty_folder(folder: Path) -> None:
    """Make the folder for a video's frames; those of an earlier, longer run would be taken for this one's."""
    try:
        folder.mkdir(exist_ok=True)
        for file in folder.glob("[0-9]" * 6 + ".*"):
            if file.suffix in (".json", ".glb"):
                file.unlink()
    except OSError as error:
        raise OutputError(
            f"The folder {folder} for the frames cannot be written ({error.strerror or error}): "
            "choose another output folder."
        ) from error
