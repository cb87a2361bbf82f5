"""Shards of training samples: tar files in WebDataset form, written whole or not at all.

Each sample is KEY.jpg (the picture), KEY.png (part ids), KEY.npz (vertices, joints, camera, box; of
hands also keypoints) and KEY.json (kind, tags), as `hmnet.data.synthetic.scenes.photograph.Sample` describes
them.
"""

import io
import json
import os
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from hmnet.errors import DataError

JPEG_QUALITY = (55, 95)


@dataclass(frozen=True)
class StoredSample:
    """One sample as read back; the pictures stay encoded until they are needed.

    vertices: (V, 3) float32 m. joints: (J, 3) float32 m. camera: (3,). box: (4,). kind: the pose's kind, ""
    where it was not recorded. tags: what makes the picture hard. keypoints: (J, 2) px, the joints in the
    picture; None in people's shards.
    """

    jpeg: bytes
    png: bytes
    vertices: np.ndarray
    joints: np.ndarray
    camera: np.ndarray
    box: np.ndarray
    kind: str
    tags: tuple[str, ...]
    keypoints: np.ndarray | None = None

    @property
    def image(self) -> np.ndarray:
        """The picture, (H, W, 3) uint8."""
        return np.asarray(Image.open(io.BytesIO(self.jpeg)).convert("RGB"))

    @property
    def part_map(self) -> np.ndarray:
        """The part ids, (H, W) uint8."""
        return np.asarray(Image.open(io.BytesIO(self.png)))


def write_shard(path: Path, samples: Iterable, generator: np.random.Generator) -> int:
    """Write samples to a shard; it appears under its name only when it is complete. Returns the count."""
    import webdataset

    unfinished = path.with_suffix(".unfinished")
    # No time of writing within: equal samples make equal bytes.
    with webdataset.TarWriter(str(unfinished), mtime=0) as tar:
        count = 0
        for sample in samples:
            jpeg, png, arrays = io.BytesIO(), io.BytesIO(), io.BytesIO()
            quality = int(generator.integers(*JPEG_QUALITY))
            Image.fromarray(sample.image).save(jpeg, "JPEG", quality=quality)
            Image.fromarray(sample.part_map).save(png, "PNG", compress_level=3)
            keypoints = {} if sample.keypoints is None else {"keypoints": sample.keypoints}
            np.savez(
                arrays,
                vertices=sample.vertices.astype(np.float16),
                joints=sample.joints.astype(np.float16),
                camera=sample.camera,
                box=sample.box,
                **keypoints,
            )
            tar.write(
                {
                    "__key__": f"{path.stem}-{count:05d}",
                    "jpg": jpeg.getvalue(),
                    "png": png.getvalue(),
                    "npz": arrays.getvalue(),
                    "json": json.dumps({"kind": sample.kind, "tags": sample.tags}).encode(),
                }
            )
            count += 1
    os.replace(unfinished, path)
    return count


def shard_paths(folder: Path) -> list[Path]:
    """The complete shards of a folder in order; DataError when there is none."""
    paths = sorted(folder.glob("*.tar")) if folder.is_dir() else []
    if not paths:
        raise DataError(
            f"No shard (*.tar) in {folder}: make some with `python -m hmnet generate --output {folder}`."
        )
    return paths


def read_shards(paths: list[Path]) -> Iterator[StoredSample]:
    """The samples of shards, one after the other; DataError for one that is not ours."""
    import webdataset

    for path in paths:
        try:
            # Under torchrun every process reads every shard: which samples it trains on is decided later.
            reader = webdataset.WebDataset(
                str(path), shardshuffle=False, empty_check=False, nodesplitter=lambda source: source
            )
            for entry in reader:
                arrays = np.load(io.BytesIO(entry["npz"]))
                about = json.loads(entry.get("json", b"{}"))
                yield StoredSample(
                    jpeg=entry["jpg"],
                    png=entry["png"],
                    vertices=arrays["vertices"].astype(np.float32),
                    joints=arrays["joints"].astype(np.float32),
                    camera=arrays["camera"],
                    box=arrays["box"],
                    kind=about.get("kind", ""),
                    tags=tuple(about.get("tags", ())),
                    keypoints=arrays.get("keypoints"),
                )
        except (KeyError, OSError, ValueError, tarfile.TarError) as error:
            raise DataError(f"{path} is not a shard of this project ({error!r}): make it anew.") from error


def read_recipe(folder: Path) -> dict:
    """How the shards of a folder were made, as `generate` wrote it down."""
    path = folder / "recipe.json"
    return json.loads(path.read_text()) if path.is_file() else {}
