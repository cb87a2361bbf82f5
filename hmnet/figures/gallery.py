"""Gallery (the paper's Fig. 5, 6 and 7): rows of photo, part map, and two networks' meshes from two sides.

The first network is HMNet; the other is given the photo alone, without a part map. Rendered test pictures
come with the true box, as in the paper; in photos the person is found.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from hmnet.checkpoint import Checkpoint
from hmnet.comparison import Comparison
from hmnet.data.crop import extract, extract_labels, square_crop
from hmnet.errors import BoxError, CheckpointError, DataError, ImageError, NoPersonFoundError
from hmnet.figures.drawing import WHITE, colour_parts
from hmnet.figures.seen import named_set, read_samples
from hmnet.mesh import MeshTopology, neighbour_average
from hmnet.metrics import surface_error
from hmnet.predictor import Prediction, Predictor
from hmnet.published import PHOTO_ALONE
from hmnet.render import overlay, view
from hmnet.variants import BASE

ROWS = 6
"""As many as are shown without a limit: the first ones, whatever comes out."""
TILE, GAP, HEAD = 152, 4, 24
"""px; a gallery is as wide as six tiles."""
MARGIN = 0.12
"""How much more of the photo is shown than the person's box."""
SIDE = 75
"""Degrees by which the other view is turned: nearly from the side, so that depth shows."""
COLUMNS = (
    "input",
    "body parts",
    "HMNet",
    f"HMNet, turned {SIDE}°",
    "photo alone",
    f"photo alone, turned {SIDE}°",
)
INK = (51, 51, 51)
PHOTO_ENDINGS = (".jpg", ".jpeg", ".png", ".webp")


@dataclass(frozen=True)
class Row:
    """One person.

    name: the photo's. prediction: HMNet's. other: averaged vertices (V, 3) m of the photo alone.
    truth: (V, 3) m, None for a photo.
    """

    name: str
    prediction: Prediction
    other: np.ndarray
    truth: np.ndarray | None


def make(
    checkpoint: Checkpoint, data: Path | None, photos: Path | None, limit: int | None = None
) -> tuple[dict, np.ndarray]:
    """The gallery as a picture (H, W, 3) uint8 and the surface errors of its rows, where the truth is known.

    data: a folder of test shards; photos: a folder of photos; one of them. Raises DataError where there is
    nobody to show, CheckpointError where the variant without parts does not lie beside HMNet's weights.
    """
    predictor = Predictor(checkpoint)
    comparison = Comparison(predictor)
    if PHOTO_ALONE not in comparison.names:
        raise CheckpointError(
            f"The gallery compares with the variant {PHOTO_ALONE}, which is not beside these weights: use a "
            "folder that holds both."
        )
    limit = limit or ROWS
    people = _in_photos(predictor, photos) if photos else _in_samples(predictor, data, limit)
    rows = []
    for name, prediction, truth in people:
        rows.append(Row(name, prediction, _other_mesh(comparison, prediction), truth))
        if len(rows) == limit:
            break
    if not rows:
        raise DataError(f"Nobody was found in the photos of {photos}: give others.")
    info = checkpoint.info
    result = {"weights": {"variant": info.variant, "revision": info.revision}, "images": len(rows)}
    if data is not None:
        result["test set"] = named_set(data)
    result["rows"] = [{"name": row.name, **_errors(row)} for row in rows]
    return result, sheet([tiles(row, predictor) for row in rows])


def _in_samples(
    predictor: Predictor, data: Path, limit: int
) -> Iterator[tuple[str, Prediction, np.ndarray | None]]:
    for number, sample in enumerate(read_samples(data, limit)):
        try:
            yield f"sample {number}", predictor.predict(sample.image, sample.box), sample.vertices
        except NoPersonFoundError as error:
            print(f"sample {number}: {error}", file=sys.stderr)


def _in_photos(predictor: Predictor, photos: Path) -> Iterator[tuple[str, Prediction, np.ndarray | None]]:
    for file in photo_files(photos):
        try:
            yield file.stem, predictor.predict(file), None
        except (ImageError, BoxError, NoPersonFoundError) as error:
            print(f"{file.name}: {error}", file=sys.stderr)


def photo_files(folder: Path) -> list[Path]:
    """The photos of a folder in order; DataError where there is none."""
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    files = [file for file in files if file.suffix.lower() in PHOTO_ENDINGS]
    if not files:
        raise DataError(f"No photo ({', '.join(PHOTO_ENDINGS)}) in {folder}: give a folder that has some.")
    return files


def _other_mesh(comparison: Comparison, prediction: Prediction) -> np.ndarray:
    body = comparison.predictor.body
    raw = torch.from_numpy(comparison.answers(prediction)[PHOTO_ALONE].raw_vertices)
    matrix = MeshTopology.from_faces(body.faces, len(body.vertices)).neighbour_matrix
    return neighbour_average(raw, matrix).numpy()


def _errors(row: Row) -> dict[str, float]:
    """Surface errors in mm by network; nothing where the truth is not known."""
    if row.truth is None:
        return {}
    truth = torch.from_numpy(row.truth)[None]
    meshes = {BASE: row.prediction.vertices, PHOTO_ALONE: row.other}
    return {name: surface_error(torch.from_numpy(mesh)[None], truth).item() for name, mesh in meshes.items()}


def tiles(row: Row, predictor: Predictor) -> list[np.ndarray]:
    """The pictures of COLUMNS, (TILE, TILE, 3) uint8 each."""
    body, prediction = predictor.body, row.prediction
    image = prediction.image
    # Large photos are kept scaled down; the box and the camera are in px of the photo as it came.
    scale = image.shape[1] / prediction.photo_size[0]
    window = square_crop(prediction.box * scale, MARGIN)
    camera = prediction.camera * [scale, 1, 1]
    shown = [
        extract(image, window, TILE),
        colour_parts(extract_labels(prediction.part_map, window, TILE)),
    ]
    for mesh in (prediction.vertices, row.other):
        surface = body.upsample(torch.from_numpy(mesh))
        over = overlay(image, surface, body.full_faces, camera)
        shown.append(extract(over, window, TILE))
        shown.append(view(surface, body.full_faces, yaw=SIDE, size=TILE, background=WHITE))
    return shown


def sheet(rows: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
    """Rows of tiles (TILE, TILE, 3) uint8 under the titles of COLUMNS, as one picture (H, W, 3) uint8."""
    step = TILE + GAP
    page = Image.new("RGB", (len(COLUMNS) * step - GAP, HEAD + len(rows) * step - GAP), WHITE)
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(size=13)
    for column, title in enumerate(COLUMNS):
        pen.text((column * step + TILE / 2, HEAD / 2), title, INK, font, anchor="mm")
        for number, row in enumerate(rows):
            page.paste(Image.fromarray(row[column]), (column * step, HEAD + number * step))
    return np.asarray(page)
