"""`BodyTemplate`: the mesh that HMNet deforms, with what is needed to name and show it."""

import json
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from scipy import sparse

from hmnet.body.anny import AnnyBody
from hmnet.body.hand_names import HAND_PART_COLOURS
from hmnet.body.parts import PART_COLOURS, part_names_of
from hmnet.body.softening import softened
from hmnet.config import HANDS
from hmnet.errors import BodyError, told

ASSETS = Path(__file__).parents[2] / "assets"
LICENSED = ("smpl", "smpl-1723", "mano")
"""Bodies that are made from the user's own files."""
LEFT_RIGHT = (("left_", "right_"), ("right_", "left_"))


@dataclass(frozen=True)
class BodyTemplate:
    """A template mesh of V vertices with J joints and K keypoints; camera frame, metres.

    name: as `load_body` takes it.
    vertices: (V, 3) rest shape of the average adult, root joint at the origin.
    faces: (F, 3) int64 triangles. face_parts: (F,) int64 in 1..24. vertex_parts: (V,) int64 in 1..24.
    joint_regressor: (J, V) sparse, rows sum to 1. joint_names: 24, named and ordered like SMPL's.
    keypoint_regressor: (K, V), rows sum to 1. keypoint_names: COCO's 17 and 6 on the feet.
    mirror: (V,) int64, each vertex's mirror image.
    upsampling: (U, V) sparse, the template's surface to the full one (see `hmnet.body.softening`).
    full_faces: (G, 3) int64. full_face_parts: (G,) int64.
    subset: (V,) int64, which of the U vertices of the full surface the template's are; None where it has
    vertices of its own, as Anny's has.
    A hand (see `hmnet.body.hand` and `hmnet.body.mano`) has 21 joints and 16 parts instead.
    """

    name: str
    vertices: torch.Tensor
    faces: torch.Tensor
    face_parts: torch.Tensor
    vertex_parts: torch.Tensor
    joint_regressor: torch.Tensor
    joint_names: tuple[str, ...]
    keypoint_regressor: torch.Tensor
    keypoint_names: tuple[str, ...]
    mirror: torch.Tensor
    upsampling: torch.Tensor
    full_faces: torch.Tensor
    full_face_parts: torch.Tensor
    subset: torch.Tensor | None = None

    @property
    def part_names(self) -> tuple[str, ...]:
        """The names of part 0, the background, and of the parts."""
        return part_names_of(self.name)

    @property
    def part_colours(self) -> tuple[tuple[int, int, int], ...]:
        """One display colour (sRGB, 0..255) for each of `part_names`."""
        return HAND_PART_COLOURS if self.one_sided else PART_COLOURS

    @property
    def one_sided(self) -> bool:
        """Whether it has no image in a mirror: that of a right hand is a left one."""
        return self.name in HANDS

    def joint_index(self, name: str) -> int:
        """Index of a joint by name; BodyError names the valid ones."""
        return _index(name, self.joint_names, "joint")

    def keypoint_index(self, name: str) -> int:
        """Index of a keypoint by name; BodyError names the valid ones."""
        return _index(name, self.keypoint_names, "keypoint")

    @property
    def mirrored_joints(self) -> list[int]:
        """Index of each joint's mirror image."""
        return [self.joint_names.index(other_side(name)) for name in self.joint_names]

    @cached_property
    def full_vertex_parts(self) -> torch.Tensor:
        """Part (U,) int64 of each vertex of the full surface: that of most faces around it."""
        return vertex_parts_of(self.full_faces, self.full_face_parts, self.upsampling.shape[0])

    def regress_joints(self, vertices: torch.Tensor) -> torch.Tensor:
        """Joints (..., J, 3) of template vertices (..., V, 3)."""
        return _apply(self.joint_regressor, vertices)

    def regress_keypoints(self, vertices: torch.Tensor) -> torch.Tensor:
        """Keypoints' 3D points (..., K, 3) of template vertices (..., V, 3)."""
        return _apply(self.keypoint_regressor, vertices)

    def upsample(self, vertices: torch.Tensor) -> torch.Tensor:
        """Full surface (..., U, 3) of template vertices (..., V, 3)."""
        if vertices.requires_grad or vertices.device.type != "cpu":
            return _apply(self.upsampling, vertices)
        # SciPy's product of sparse rows takes a tenth of the time of torch's.
        columns = vertices.movedim(-2, 0)
        full = self._upsampling_rows @ columns.reshape(len(columns), -1).numpy()
        return torch.from_numpy(full).reshape(-1, *columns.shape[1:]).movedim(0, -2)

    @cached_property
    def _upsampling_rows(self) -> sparse.csr_array:
        values, indices = self.upsampling.values().numpy(), self.upsampling.indices().numpy()
        return sparse.csr_array((values, indices), shape=self.upsampling.shape)


def load_body(name: str = "anny") -> BodyTemplate:
    """The body template of that name; BodyError when it is unknown or its asset unreadable.

    "anny", "anny-full", and "hand", Anny's right hand; and from the user's own files (see
    `hmnet.body.smpl_files`) "smpl", "smpl-1723" and "mano", where BodyError says which file is missing.
    """
    if name in LICENSED:
        return _load_licensed(name)
    loaders = {"anny": _load_template, "anny-full": _load_full_template, "hand": _load_hand_template}
    if name not in loaders:
        raise BodyError(f"Unknown body {told(name)!r}: choose one of {', '.join((*loaders, *LICENSED))}.")
    return loaders[name]()


@lru_cache(maxsize=1)
def load_anny() -> AnnyBody:
    """Anny's posable body from the baked asset."""
    return AnnyBody.from_arrays(*read_asset(ASSETS / "body" / "anny.safetensors"))


def read_asset(path: Path) -> tuple[dict[str, np.ndarray], dict]:
    """Arrays and metadata of a baked body; BodyError when the file is missing or corrupt."""
    if not path.is_file():
        raise BodyError(
            f"The body asset {path} is missing: restore it from the repository, "
            "or bake it anew with `python -m hmnet.body.bake`."
        )
    try:
        with safe_open(path, "numpy") as file:
            arrays = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            metadata = {key: json.loads(value) for key, value in file.metadata().items()}
    except (SafetensorError, OSError, ValueError) as error:
        raise BodyError(f"The body asset {path} cannot be read ({error}): restore it.") from error
    return arrays, metadata


@lru_cache(maxsize=1)
# Kept for the whole process, so training must be able to use what a first call under inference made.
@torch.inference_mode(False)
def _load_template() -> BodyTemplate:
    arrays, metadata = read_asset(ASSETS / "body" / "anny.safetensors")
    faces = torch.as_tensor(arrays["template.faces"]).long()
    face_parts = torch.as_tensor(arrays["template.face_parts"]).long()
    vertex_count = len(arrays["template.vertices"])
    upsampling = sparse_rows(arrays["upsample.index"], arrays["upsample.weight"], vertex_count)
    full_faces = torch.as_tensor(arrays["full.faces"]).long()
    full_face_parts = torch.as_tensor(arrays["full.face_parts"]).long()
    full_vertex_parts = vertex_parts_of(full_faces, full_face_parts, upsampling.shape[0])
    joint_regressor = sparse_rows(arrays["joints.index"], arrays["joints.weight"], vertex_count)
    anny = AnnyBody.from_arrays(arrays, metadata)
    rest = _average_adult(anny, "template")
    root = metadata["joints"].index("pelvis")
    return BodyTemplate(
        name="anny",
        vertices=rest - _apply(joint_regressor, rest)[root],
        faces=faces,
        face_parts=face_parts,
        vertex_parts=vertex_parts_of(faces, face_parts, vertex_count),
        joint_regressor=joint_regressor,
        joint_names=tuple(metadata["joints"]),
        keypoint_regressor=torch.as_tensor(arrays["keypoints.weight"]),
        keypoint_names=tuple(metadata["keypoints"]),
        mirror=torch.as_tensor(arrays["template.mirror"]).long(),
        upsampling=softened(upsampling, full_faces, full_vertex_parts),
        full_faces=full_faces,
        full_face_parts=full_face_parts,
    )


@lru_cache(maxsize=1)
@torch.inference_mode(False)
def _load_full_template() -> BodyTemplate:
    # Not at the top: that file needs this one's BodyTemplate.
    from hmnet.body.full_surface import full_template

    body, anny = load_body("anny"), load_anny()
    rest = _average_adult(anny, "template")
    root = _apply(body.joint_regressor, rest)[body.joint_index("pelvis")]
    return full_template(body, _average_adult(anny, "full") - root)


def _load_hand_template() -> BodyTemplate:
    # That file needs this one's BodyTemplate too.
    from hmnet.body.hand import hand_template

    return hand_template()


def _load_licensed(name: str) -> BodyTemplate:
    # Those files need this one's BodyTemplate too.
    from hmnet.body.mano import mano_template
    from hmnet.body.smpl_template import smpl_template

    return mano_template() if name == "mano" else smpl_template(name)


def _average_adult(anny: AnnyBody, surface: str) -> torch.Tensor:
    """Rest vertices (V, 3) of the body with all phenotypes in the middle and the age of the young."""
    phenotypes = torch.full((1, len(anny.phenotype_names)), 0.5)
    phenotypes[:, anny.phenotype_names.index("age")] = 2 / 3
    return anny.rest(phenotypes, surface)[0][0]


def vertex_parts_of(faces: torch.Tensor, face_parts: torch.Tensor, vertex_count: int) -> torch.Tensor:
    """Part (V,) int64 of each vertex: that of most faces (F, 3), with parts (F,), around it."""
    votes = torch.zeros(vertex_count, int(face_parts.max()) + 1)
    votes.index_put_(
        (faces.flatten(), face_parts.repeat_interleave(3)), torch.ones(faces.numel()), accumulate=True
    )
    return votes.argmax(1)


def sparse_rows(
    index: np.ndarray | torch.Tensor, weight: np.ndarray | torch.Tensor, columns: int
) -> torch.Tensor:
    """(R, columns) sparse: row r has weight (R, K) at the columns index (R, K)."""
    index, values = torch.as_tensor(index).long(), torch.as_tensor(weight).flatten()
    rows = torch.arange(len(index)).repeat_interleave(index.shape[1])
    indices = torch.stack([rows, index.flatten()])
    return torch.sparse_coo_tensor(indices, values, (len(index), columns), check_invariants=True).coalesce()


def _apply(operator: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """A (M, V) operator, sparse or dense, on (..., V, 3) points."""
    operator = operator.to(points)
    columns = points.movedim(-2, 0)
    flat = columns.reshape(len(columns), -1)
    return (operator @ flat).reshape(-1, *columns.shape[1:]).movedim(0, -2)


def other_side(name: str) -> str:
    """The name of a joint's mirror image: "right_knee" for "left_knee", "neck" for "neck"."""
    for here, there in LEFT_RIGHT:
        if name.startswith(here):
            return there + name.removeprefix(here)
    return name


def _index(name: str, names: tuple[str, ...], kind: str) -> int:
    if name not in names:
        raise BodyError(f"Unknown {kind} {name!r}: choose one of {', '.join(names)}.")
    return names.index(name)
