"""The pose library: retargeting keeps directions and sides, importers read three forms, samples are sane."""

import json

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from hmnet.body.template import load_anny
from hmnet.data.synthetic.poses.anchors import ANCHORS, anchor_poses
from hmnet.data.synthetic.poses.clearance import eased, plausible
from hmnet.data.synthetic.poses.coverage import coverage
from hmnet.data.synthetic.poses.limits import clamp
from hmnet.data.synthetic.poses.motion import DEEPMIMIC_ROW, motion_files, read_clip
from hmnet.data.synthetic.poses.pose_library import KIND_SHARES, PoseLibrary
from hmnet.data.synthetic.poses.retarget import pose_from_positions
from hmnet.data.synthetic.poses.skeleton import (
    JOINT_INDEX,
    JOINT_NAMES,
    LIMB_JOINTS,
    bone_rotations,
    joint_positions,
    mirror,
    remove_heading,
    rest_positions,
)
from hmnet.errors import DataError

LIMBS = [
    (f"{side}_{start}", f"{side}_{end}")
    for side in ("left", "right")
    for start, end in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
]


@pytest.fixture(scope="module")
def library() -> PoseLibrary:
    return PoseLibrary.build([], seed=0)


@pytest.fixture(scope="module")
def wild() -> np.ndarray:
    """Random poses within the limits."""
    generator = np.random.default_rng(5)
    return clamp(generator.normal(0, 0.5, (40, len(JOINT_NAMES), 3)))


def named(poses: np.ndarray) -> dict[str, np.ndarray]:
    return dict(zip(JOINT_NAMES, np.moveaxis(joint_positions(poses), 1, 0), strict=True))


def between(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Degrees between directions."""
    cosine = (first * second).sum(-1) / np.linalg.norm(first, axis=-1) / np.linalg.norm(second, axis=-1)
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def test_kinematics_agree_with_the_body(wild):
    body = load_anny()
    rest = rest_positions()
    phenotypes = torch.full((1, len(body.phenotype_names)), 0.5)
    phenotypes[:, body.phenotype_names.index("age")] = 2 / 3
    heads = body.rest(phenotypes, "template")[1].expand(len(wild), -1, -1)
    _, posed = body.forward_kinematics(heads, torch.tensor(bone_rotations(wild)))
    posed = posed.numpy()
    ours = named(wild)
    for name, bone in (("left_wrist", "wrist.L"), ("right_ankle", "foot.R"), ("head", "head")):
        np.testing.assert_allclose(ours[name], posed[:, body.bone_names.index(bone)], atol=1e-5)
        assert np.linalg.norm(rest[name]) > 0.3


def test_limb_directions_are_reproduced(wild):
    points = named(wild)
    solved = named(pose_from_positions({name: points[name] for name in (*LIMB_JOINTS, "neck")}))
    for start, end in LIMBS:
        assert between(points[end] - points[start], solved[end] - solved[start]).max() < 0.5


def test_rest_gives_no_rotation():
    rest = {name: point[None] for name, point in rest_positions().items()}
    assert np.degrees(np.abs(pose_from_positions(rest))).max() < 10


def test_turning_the_world_turns_only_the_pelvis(wild):
    kept = (*LIMB_JOINTS, "neck", "head")
    points = {name: value for name, value in named(wild).items() if name in kept}
    turn = Rotation.from_rotvec([0.4, 1.1, -0.7])
    turned = pose_from_positions({name: turn.apply(value) for name, value in points.items()})
    straight = pose_from_positions(points)
    np.testing.assert_allclose(turned[:, 1:], straight[:, 1:], atol=1e-6)
    expected = (turn * Rotation.from_rotvec(straight[:, 0])).as_matrix()
    np.testing.assert_allclose(Rotation.from_rotvec(turned[:, 0]).as_matrix(), expected, atol=1e-6)


def test_missing_points_are_named():
    points = {name: np.zeros((1, 3)) for name in (*LIMB_JOINTS, "neck")}
    del points["left_knee"]
    with pytest.raises(DataError, match="missing: left_knee"):
        pose_from_positions(points)


def test_mirror_swaps_sides_and_twice_is_identity(wild):
    there = named(mirror(wild))
    here = named(wild)
    flip = np.array([-1.0, 1.0, 1.0])
    for left, right in (("left_wrist", "right_wrist"), ("left_ankle", "right_ankle")):
        np.testing.assert_allclose(there[left], here[right] * flip, atol=5e-3)
    np.testing.assert_array_equal(mirror(mirror(wild)), wild)


def test_heading_is_removed_and_lying_stays():
    supine = np.zeros((1, len(JOINT_NAMES), 3))
    supine[0, 0] = Rotation.from_euler("YX", [70, -90], degrees=True).as_rotvec()
    np.testing.assert_allclose(remove_heading(supine)[0, 0], [-np.pi / 2, 0, 0], atol=1e-9)


def test_anchors_face_the_viewer_with_their_left_on_the_right():
    poses, kinds, _ = anchor_poses()
    assert len(poses) == len(ANCHORS) >= 40
    at = named(poses)
    upright = np.array([kind in ("standing", "gesture", "walking", "carrying") for kind in kinds])
    assert (at["left_hip"][upright, 0] > at["right_hip"][upright, 0]).all()
    toes = at["left_foot"] - at["left_ankle"]
    assert (toes[upright, 2] < -0.04).all()
    assert {*kinds} <= KIND_SHARES.keys()


def test_clamp_is_idempotent_and_knees_bend_one_way(wild):
    np.testing.assert_allclose(clamp(wild), wild, atol=0.03)
    backwards = np.zeros((1, len(JOINT_NAMES), 3))
    backwards[0, JOINT_INDEX["left_knee"], 0] = -1.0
    assert clamp(backwards)[0, JOINT_INDEX["left_knee"], 0] > np.radians(-11)


def test_plausible_rejects_a_hand_in_the_belly():
    poses = anchor_poses()[0][:1].copy()
    assert plausible(poses).all()
    points = {name: value.copy() for name, value in named(poses).items()}
    points["left_elbow"] = points["left_shoulder"] + [0.0, 0.29, 0.0]
    points["left_wrist"] = points["spine1"]
    assert not plausible(pose_from_positions({name: points[name] for name in (*LIMB_JOINTS, "neck")})).any()


def test_samples_are_varied_repeatable_and_finite(library):
    first = library.sample(np.random.default_rng(3), 64)[0]
    again = library.sample(np.random.default_rng(3), 64)[0]
    assert first.shape == (64, 24, 3) and first.dtype == np.float32
    np.testing.assert_array_equal(first, again)
    assert np.isfinite(first).all()
    assert plausible(first.astype(float)).mean() > 0.8
    wrists = joint_positions(first.astype(float))[:, JOINT_INDEX["left_wrist"]]
    assert wrists.std(0).min() > 0.1


def test_library_weights_and_round_trip(library, tmp_path):
    assert library.weights.sum() == pytest.approx(1)
    calm = np.isin(library.kinds, ["standing", "sitting", "gesture", "walking"])
    wild = np.isin(library.kinds, ["lying", "dance", "clip floor"])
    assert library.weights[calm].sum() > 3 * library.weights[wild].sum()
    library.save(tmp_path / "poses.npz")
    loaded = PoseLibrary.load(tmp_path / "poses.npz")
    for name in ("poses", "kinds", "weights", "sources"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(library, name))
    (tmp_path / "poses.npz").write_text("no")
    with pytest.raises(DataError, match=r"poses\.npz"):
        PoseLibrary.load(tmp_path / "poses.npz")


def test_parts_share_no_source_and_hold_every_kind(library):
    train, test = library.part(False), library.part(True)
    assert len(train.poses) + len(test.poses) == len(library.poses)
    assert not set(train.sources) & set(test.sources)
    authored = {kind for kind in KIND_SHARES if not kind.startswith("clip")}
    assert authored <= set(train.kinds) and authored <= set(test.kinds)
    first, second = (joint_positions(part.poses).astype(np.float32) for part in (train, test))
    gaps = np.linalg.norm(first[None] - second[:, None], axis=-1).max(-1)
    assert gaps.min() > 0.02


def test_a_subject_stays_on_one_side_whatever_else_is_there(library):
    clips = ["007_01", "007_12", "005_01", "005_20", "humanoid3d_dance_a", "dance-charleston"]
    count = len(clips)
    sources = np.concatenate([library.sources, clips])
    poses = np.concatenate([library.poses, library.poses[:count]])
    kinds = np.concatenate([library.kinds, ["clip upright"] * count])
    held = set(PoseLibrary(poses, kinds, np.full(len(poses), 1 / len(poses)), sources).part(True).sources)
    assert [name in held for name in clips] == [True, True, False, False, True, True]
    assert held >= set(library.part(True).sources)


def test_arms_are_eased_out_of_the_body():
    pose = np.zeros((1, len(JOINT_NAMES), 3))
    pose[0, JOINT_INDEX["left_shoulder"], 2] = 0.9  # the arm turned down into the hip
    before, after = named(pose), named(eased(pose))
    assert not plausible(pose)[0] and plausible(eased(pose))[0]
    assert after["left_wrist"][0, 0] > before["left_wrist"][0, 0]
    np.testing.assert_array_equal(before["left_knee"], after["left_knee"])


def test_coverage_of_own_samples_is_zero(library):
    columns = [JOINT_INDEX[name] for name in LIMB_JOINTS]
    own = joint_positions(library.sample(np.random.default_rng(1), 50)[0])[:4, columns]
    moved = Rotation.from_rotvec([0.2, 0.9, 0.1]).apply(own.reshape(-1, 3)).reshape(own.shape) * 1.3 + 2.0
    assert coverage(library, moved, 50, seed=1).max() < 1e-3


# --- clips ---


def deepmimic_row() -> list[float]:
    """Standing upright with the right knee bent and the left elbow bent."""
    row = np.zeros(DEEPMIMIC_ROW)
    row[[4, 8, 12, 16, 21, 25, 30, 35, 39]] = 1.0  # the w of each quaternion
    row[20], row[43] = -1.2, 1.0
    return row.tolist()


def test_deepmimic_clip(tmp_path):
    path = tmp_path / "humanoid3d_stand.txt"
    path.write_text(json.dumps({"Loop": "none", "Frames": [deepmimic_row()] * 3}))
    clip = read_clip(path)
    pose = pose_from_positions(clip.positions, clip.rest)
    assert pose.shape == (3, 24, 3)
    at = {name: value[0] for name, value in named(pose).items()}
    assert at["left_hip"][0] > 0 > at["right_hip"][0]
    assert at["right_ankle"][2] > at["right_knee"][2] + 0.3  # the shank swings back
    assert at["left_wrist"][2] < at["left_elbow"][2] - 0.15  # the forearm comes forward
    assert at["left_foot"][2] < at["left_ankle"][2]
    assert abs(np.degrees(pose[0, JOINT_INDEX["head"]])).max() < 5


def bvh(offsets: dict[str, tuple], children: dict[str, list[str]], root: str, rows: list[list[float]]) -> str:
    def block(name: str) -> str:
        x, y, z = offsets[name]
        inner = "".join(block(child) for child in children.get(name, [])) or "End Site { OFFSET 0 1 0 }"
        word = "ROOT" if name == root else "JOINT"
        return f"{word} {name} {{ OFFSET {x} {y} {z} CHANNELS 3 Zrotation Yrotation Xrotation {inner} }}\n"

    numbers = "\n".join(" ".join(str(v) for v in row) for row in rows)
    return f"HIERARCHY\n{block(root)}MOTION\nFrames: {len(rows)}\nFrame Time: 0.1\n{numbers}\n"


def makehuman_bvh(rows: int = 1, columns: int = 0) -> str:
    """A MakeHuman skeleton, Z up, facing -Y, in decimetres; the left thigh (third joint) raised forward."""
    rest = rest_positions()
    bones = {
        "root": "pelvis", "upperleg01.L": "left_hip", "lowerleg01.L": "left_knee", "foot.L": "left_ankle",
        "toe2-1.L": "left_foot", "spine02": "spine2", "neck01": "neck", "head": "head", "eye.L": "left_eye",
        "upperarm01.L": "left_shoulder", "lowerarm01.L": "left_elbow", "wrist.L": "left_wrist",
        "finger3-1.L": "left_hand", "finger2-1.L": "left_index", "finger5-1.L": "left_little",
    }  # fmt: skip
    right = {k[:-1] + "R": v.replace("left", "right") for k, v in bones.items() if k.endswith(".L")}
    bones |= right
    parents = {
        "upperleg01": "root", "lowerleg01": "upperleg01", "foot": "lowerleg01", "toe2-1": "foot",
        "eye": "head", "upperarm01": "spine02", "lowerarm01": "upperarm01", "wrist": "lowerarm01",
        "finger3-1": "wrist", "finger2-1": "wrist", "finger5-1": "wrist",
    }  # fmt: skip
    parent_of = {"spine02": "root", "neck01": "spine02", "head": "neck01"}
    for stem, parent in parents.items():
        for side in (".L", ".R"):
            parent_of[stem + side] = parent + side if parent + side in bones else parent
    offsets, children = {"root": (0, 0, 0)}, {}
    for bone, parent in parent_of.items():
        x, y, z = 10 * (rest[bones[bone]] - rest[bones[parent]])
        offsets[bone] = (x, z, -y)
        children.setdefault(parent, []).append(bone)
    row = [0.0] * (3 * len(bones) + columns)
    order = []

    def walk(name: str) -> None:
        order.append(name)
        for child in children.get(name, []):
            walk(child)

    walk("root")
    # Channels are Z, Y, X: about x, Z up and facing -Y, a negative angle brings what hangs forward.
    row[3 * order.index("upperleg01.L") + 2] = -90.0
    return bvh(offsets, children, "root", [row] * rows)


def test_makehuman_bvh(tmp_path):
    path = tmp_path / "sit.bvh"
    path.write_text(makehuman_bvh())
    clip = read_clip(path)
    pose = pose_from_positions(clip.positions, clip.rest)
    at = {name: value[0] for name, value in named(pose).items()}
    thigh, other = at["left_knee"] - at["left_hip"], at["right_knee"] - at["right_hip"]
    assert thigh[2] < -0.4 and abs(thigh[1]) < 0.1
    assert other[1] > 0.4
    assert at["left_hip"][0] > 0


def mesh2motion(frames: int = 2) -> dict:
    """Mesh2Motion's bones at Anny's rest positions, Z up, facing -Y, without any rotation."""
    rest = rest_positions()
    where = {"thigh": "hip", "calf": "knee", "foot": "ankle", "ball": "foot", "upperarm": "shoulder",
             "lowerarm": "elbow", "hand": "wrist"}  # fmt: skip
    points = {f"{b}_{s[0]}": rest[f"{s}_{n}"] for b, n in where.items() for s in ("left", "right")}
    points |= {"head": rest["head"], "neck_01": rest["neck"], "spine_02": rest["spine2"]}
    rows = [[x, z, -y, 0, 0, 0, 1, 0, 0, 0] for x, y, z in points.values()]
    return {"bones": list(points), "fps": 8, "rest": rows, "frames": [rows] * frames}


def test_mesh2motion_clip(tmp_path):
    path = tmp_path / "idle.json"
    path.write_text(json.dumps(mesh2motion()))
    clip = read_clip(path)
    at = {name: value[0] for name, value in named(pose_from_positions(clip.positions, clip.rest)).items()}
    rest = rest_positions()
    for start, end in LIMBS:
        assert between(at[end] - at[start], rest[end] - rest[start]) < 1


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.bvh", "hello", "HIERARCHY"),
        ("b.bvh", "HIERARCHY ROOT Hips { OFFSET 0 0 0 } MOTION Frames: 1 Frame Time: 1", "Character Creator"),
        ("c.bvh", makehuman_bvh(columns=1), "numbers"),
        ("d.json", "[1, 2]", "Mesh2Motion"),
        ("e.json", "{", "complete clip"),
        ("humanoid3d_f.txt", '{"Frames": [[1, 2]]}', "DeepMimic"),
        ("g.csv", "", "expected a .bvh"),
    ],
)
def test_unreadable_clips_are_named(tmp_path, name, text, expected):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(DataError, match=expected) as caught:
        read_clip(path)
    assert name in str(caught.value)


def test_build_goes_on_without_a_bad_clip(tmp_path):
    (tmp_path / "bad.bvh").write_text("hello")
    (tmp_path / "good.json").write_text(json.dumps(mesh2motion()))
    with pytest.warns(UserWarning, match=r"bad\.bvh"):
        library = PoseLibrary.build([tmp_path])
    assert "good" in library.sources


def test_folder_without_clips(tmp_path):
    with pytest.raises(DataError, match=r"no \.bvh"):
        motion_files(tmp_path)
    with pytest.raises(DataError, match="does not exist"):
        motion_files(tmp_path / "absent")
