"""Reader of MakeHuman clothes: `.mhclo` files with their `.obj`, bound to MakeHuman's base mesh.

A user may hand in a folder of them; none is shipped. The format: header lines (`name`, `tag`, `obj_file`,
`x_scale a b length`), then `verts 0` with a line a vertex, either one base vertex or three of them with
weights and an offset, then perhaps `delete_verts` with ranges of base vertices hidden below.
"""

import itertools
import warnings
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from hmnet.body.template import ASSETS, read_asset
from hmnet.data.synthetic.people.appearance import regions
from hmnet.data.synthetic.people.fitting import Garment, fit, hidden_beneath, rest_body
from hmnet.errors import DataError

BASE_VERTICES = 19158
SLOT_WORDS = {
    "hair": ("hair", "bob", "afro", "braid", "ponytail", "short0", "long0", "bun"),
    "hat": ("hat", "fedora", "cap", "beanie", "helmet"),
    "shoes": ("shoe", "boot", "sneaker", "sandal"),
    "dress": ("dress", "gown"),
    "skirt": ("skirt",),
    "suit": ("suit", "uniform", "overall"),
    "coat": ("coat", "jacket"),
    "bottom": ("trouser", "pants", "jeans", "shorts"),
    "bag": ("bag", "pack"),
    "top": ("shirt", "top", "sweater", "blouse", "hoodie", "vest"),
}
"""Words of a file's name and tags that tell the slot; the first match counts."""
PIECE_OF_PART = np.array([0, 0, 0, 0, 0, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 3, 3])
"""Upper clothes, trousers, shoes, headwear: the pieces of a suit by the body part beneath."""
HEAD = (23, 24)
WAIST, BETWEEN_LEGS = -0.14, 0.15
"""m, heights on the base shape (y down)."""


@lru_cache(maxsize=1)
def _base() -> tuple[np.ndarray, np.ndarray]:
    arrays, _ = read_asset(ASSETS / "body" / "makehuman_base.safetensors")
    return arrays["vertices"], arrays["full_index"]


def load_clothes(folder: Path) -> list[Garment]:
    """All garments of a folder and of those in it, in the order of their paths.

    A file that cannot be read is left out with a warning; DataError when the folder is missing.
    """
    if not folder.is_dir():
        raise DataError(
            f"The clothes folder {folder} does not exist: expected a folder with MakeHuman .mhclo files, "
            "give another one or leave it out."
        )
    garments = []
    for path in sorted(folder.rglob("*.mhclo")):
        try:
            garments.append(read_garment(path))
        except DataError as error:
            warnings.warn(str(error), stacklevel=2)
    return garments


def read_garment(path: Path) -> Garment:
    """One garment of a `.mhclo` file and the `.obj` it names; DataError when either is not of that form."""
    try:
        header, bindings, hidden = _parse(path.read_text(encoding="utf-8", errors="replace"))
        vertices = _bound(header, bindings)
        faces = _faces(path.parent / header["obj_file"], len(vertices))
    except OSError as error:
        raise DataError(
            f"{path}: cannot read {error.filename or path} ({error.strerror}), expected the .mhclo file and "
            "the .obj it names side by side."
        ) from error
    except (KeyError, IndexError, ValueError) as error:
        raise DataError(
            f"{path} is not a MakeHuman garment ({error}): expected obj_file, x_scale, y_scale, z_scale and "
            "a `verts` table bound to the hm08 base mesh, with an .obj of as many vertices."
        ) from error
    words = " ".join([path.stem, *header["tags"]]).lower()
    slot = _slot(words)
    gender = 1.0 if "female" in words else 0.0 if "male" in words else None
    covered = _base()[1][hidden]
    covered = covered[covered >= 0]
    head = slot in ("hair", "hat")
    skirted = slot in ("suit", "dress", "skirt", "coat") and _is_skirt(vertices, faces)
    if skirted:
        covered = np.union1d(covered, hidden_beneath(vertices, faces))
    elif slot == "hat":
        # The brim is above the face too, but does not hide it.
        covered = np.flatnonzero(regions().scalp > 0.5)
        covered = np.intersect1d(covered, hidden_beneath(vertices, faces))
    return fit(
        f"mhclo:{path.stem}",
        slot,
        vertices,
        _outwards(vertices, faces) if not head else faces,
        pieces=_pieces(vertices, faces) if slot == "suit" else None,
        gender=gender,
        rigid="head" if slot == "hat" else None,
        covered=covered,
        two_sided="all" if slot == "hair" else "hems",
        loose=1.0 if skirted else 0.0,
        near=HEAD if slot == "hat" else (1, 2, *HEAD) if slot == "hair" else None,
    )


def _parse(text: str) -> tuple[dict, list[list[float]], np.ndarray]:
    header: dict = {"tags": []}
    bindings: list[list[float]] = []
    hidden: list[int] = []
    section = "header"
    for line in text.splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] == "verts":
            section = "verts"
        elif words[0] == "delete_verts":
            section = "delete"
        elif words[0] == "tag":
            header["tags"].append(" ".join(words[1:]))
        elif words[0][0].isalpha():
            header[words[0]] = " ".join(words[1:])
        elif section == "verts":
            if len(words) not in (1, 9):
                raise ValueError(f"a binding of {len(words)} numbers, not 1 or 9")
            bindings.append([float(word) for word in words])
        elif section == "delete":
            hidden += _ranges(words)
    if not bindings:
        raise ValueError("no vertex bindings")
    indices = np.array(hidden, int)
    if len(indices) and (indices.min() < 0 or indices.max() >= BASE_VERTICES):
        raise ValueError("delete_verts outside the base mesh")
    return header, bindings, indices


def _ranges(words: list[str]) -> list[int]:
    """`3 7 - 9` is 3, 7, 8, 9."""
    out: list[int] = []
    position = 0
    while position < len(words):
        first = last = int(words[position])
        if position + 2 < len(words) and words[position + 1] == "-":
            last = int(words[position + 2])
            position += 2
        position += 1
        if not 0 <= first <= last < BASE_VERTICES:
            raise ValueError(f"the range {first} - {last}")
        out += range(first, last + 1)
    return out


def _bound(header: dict, bindings: list[list[float]]) -> np.ndarray:
    """Garment vertices (M, 3) m on the base shape."""
    base = _base()[0]
    scale = np.ones(3)
    for axis, key in enumerate(("x_scale", "y_scale", "z_scale")):
        a, b, length = header[key].split()
        scale[axis] = abs(base[int(a), axis] - base[int(b), axis]) / float(length)
    table = np.array([[row[0]] * 3 + [1, 0, 0] + [0, 0, 0] if len(row) == 1 else row for row in bindings])
    index = table[:, :3].astype(int)
    if index.min() < 0 or index.max() >= BASE_VERTICES or not np.isfinite(table).all():
        raise ValueError(f"a binding to base vertex {index.max()}")
    # MakeHuman's y points up and its z towards the viewer.
    offsets = table[:, 6:] * scale * [1, -1, -1]
    return (table[:, 3:6, None] * base[index]).sum(1) + offsets


def _faces(path: Path, count: int) -> np.ndarray:
    """Triangles (G, 3) of an .obj; polygons are cut into fans."""
    faces: list[tuple[int, int, int]] = []
    vertices = 0
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        words = line.split()
        if words[:1] == ["v"]:
            vertices += 1
        elif words[:1] == ["f"]:
            corners = [int(word.split("/")[0]) - 1 for word in words[1:]]
            faces += [(corners[0], b, c) for b, c in itertools.pairwise(corners[1:])]
    if vertices != count:
        raise ValueError(f"{path.name} has {vertices} vertices, the bindings {count}")
    out = np.array(faces, np.int32).reshape(-1, 3)
    if not len(out) or out.min() < 0 or out.max() >= count:
        raise ValueError(f"{path.name} has no faces or faces of vertices that are not there")
    return out


def _slot(words: str) -> str:
    for slot, stems in SLOT_WORDS.items():
        if any(stem in words for stem in stems):
            return slot
    return "top"


def _components(faces: np.ndarray, count: int) -> np.ndarray:
    rows, columns = faces[:, [0, 1]].ravel(), faces[:, [1, 2]].ravel()
    graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(count, count))
    return connected_components(graph, directed=False)[1]


def _nearest(vertices: np.ndarray) -> np.ndarray:
    return cKDTree(rest_body().vertices).query(vertices)[1]


def _pieces(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(M,) piece ids of a suit: by connected component, or cut at the waist where one component is trunk
    and legs at once.
    """
    component = _components(faces, len(vertices))
    votes = np.zeros((component.max() + 1, 4), int)
    np.add.at(votes, (component, PIECE_OF_PART[rest_body().parts[_nearest(vertices)]]), 1)
    mixed = (votes[:, :2] > 0.2 * votes.sum(1, keepdims=True)).all(1)[component]
    split = (vertices[:, 1] > WAIST).astype(int)
    return np.unique(np.where(mixed, split, votes.argmax(1)[component]), return_inverse=True)[1]


def _is_skirt(vertices: np.ndarray, faces: np.ndarray) -> bool:
    """Whether cloth spans the gap between the legs, well below the crotch."""
    corners = vertices[faces]
    across = (corners[..., 0].min(1) < 0) & (corners[..., 0].max(1) > 0)
    return bool((across & (corners[..., 1].min(1) > BETWEEN_LEGS)).any())


def _outwards(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Faces turned so that each connected component looks away from the body."""
    body, corners = rest_body(), vertices[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    agreement = (normals * body.normals[_nearest(corners.mean(1))]).sum(1)
    component = _components(faces, len(vertices))[faces[:, 0]]
    inward = np.bincount(component, agreement) < 0
    return np.where(inward[component][:, None], faces[:, ::-1], faces)
