"""Rendered hands: poses that hands can take, things that fit, pictures whose labels lie where the hand is."""

import dataclasses

import numpy as np
import pytest
import torch
from trimesh import Trimesh

pytest.importorskip("numba", reason="rendering needs numba (requirements-dev.txt)")

from hmnet.body.hand import hand_template, load_hand
from hmnet.body.hand_names import HAND_JOINT_NAMES, HAND_PART_NAMES
from hmnet.data.synthetic.hands import contact, hand_poses, held
from hmnet.data.synthetic.hands.contact import TOUCH_M, depth, hand_pose, untangled
from hmnet.data.synthetic.hands.hand_look import CUFF, NAIL, SLEEVE, dress_hand, hand_regions, skin_tone
from hmnet.data.synthetic.hands.hand_model import model_hands
from hmnet.data.synthetic.hands.hand_picture import photograph_hand
from hmnet.data.synthetic.hands.hand_poses import (
    ALONE,
    GRASPED,
    HOLDING,
    KIND_SHARES,
    TEST_POSES,
    limited,
    poses_of,
    sample_poses,
)
from hmnet.data.synthetic.hands.hand_view import turned_hand
from hmnet.data.synthetic.people.hands import HANDS, HIGHEST, LOWEST
from hmnet.data.synthetic.raster import rasterise
from hmnet.data.synthetic.scenes.photograph import Scenery

NAMED = {name: angles for poses in (ALONE | HOLDING).values() for name, angles in poses.items()}


@pytest.fixture(scope="module")
def pictures() -> list:
    """Pictures of 24 hands in drawn places."""
    generator, scenery = np.random.default_rng(5), Scenery([])
    drawn = [
        photograph_hand(h, scenery, generator) for h in model_hands(sample_poses(generator, 24), generator)
    ]
    return [sample for sample in drawn if sample is not None]


@pytest.mark.parametrize("test", [False, True])
def test_poses_are_within_limits_and_free(test: bool) -> None:
    poses = sample_poses(np.random.default_rng(1), 150, test)
    angles = np.stack([pose.angles for pose in poses])
    assert (angles >= LOWEST - 1e-9).all() and (angles <= HIGHEST + 1e-9).all()
    assert depth(angles).max() <= TOUCH_M
    assert {pose.kind for pose in poses} == set(KIND_SHARES) == set(ALONE | HOLDING)
    assert angles.std(0).min() > 1


@pytest.mark.parametrize("test, least, most", [(False, 0.25, 0.5), (True, 0.0, 0.06)])
def test_only_training_composes_poses(
    monkeypatch: pytest.MonkeyPatch, test: bool, least: float, most: float
) -> None:
    monkeypatch.setattr(hand_poses, "MIXED", 0.0)
    monkeypatch.setattr(hand_poses, "NOISE", 0 * hand_poses.NOISE)
    poses = sample_poses(np.random.default_rng(2), 300, test)
    authored = limited(np.stack([a for named in poses_of(test).values() for a in named.values()]))
    away = np.array([np.abs(authored - pose.angles).mean(1).min() for pose in poses])
    # What is stirred and untangled moves by a few degrees.
    assert least < (away > 6).mean() < most


def test_splits_share_no_pose_and_no_skin() -> None:
    train, test = poses_of(False), poses_of(True)
    assert all(train[kind] and test[kind] for kind in KIND_SHARES)
    assert {name for poses in test.values() for name in poses} == TEST_POSES < set(NAMED)
    assert not TEST_POSES & {name for poses in train.values() for name in poses}
    generator = np.random.default_rng(2)
    light, dark = (np.array([skin_tone(generator, split) for _ in range(300)]) for split in (False, True))
    bands = [set((tones // 0.25).astype(int)) for tones in (light, dark)]
    assert not bands[0] & bands[1] and len(bands[1]) >= 4


def test_overlap_agrees_with_a_slow_loop() -> None:
    angles = np.stack([HANDS["fist"], HANDS["flat"]])
    centres, radii, chains = contact._balls(contact.joint_positions(angles))
    meet = contact._may_meet(chains)
    for row, expected in enumerate(depth(angles)):
        worst = max(
            radii[i] + radii[j] - np.linalg.norm(centres[row, i] - centres[row, j])
            for i in range(len(radii))
            for j in range(len(radii))
            if meet[i, j]
        )
        assert abs(worst - expected) < 1e-12
    assert depth(angles)[0] > TOUCH_M > depth(angles)[1]


def test_a_fist_is_freed_and_stays_a_fist() -> None:
    tangled = limited(np.stack([HANDS["fist"], HANDS["spread"]]))
    free = untangled(tangled)
    assert depth(free).max() <= TOUCH_M
    np.testing.assert_array_equal(free[1], tangled[1])
    assert (free[0, [0, 4, 8, 12]] > 55).all()
    joints = contact.joint_positions(free)
    reach = np.linalg.norm(joints[:, HAND_JOINT_NAMES.index("middle_tip")], axis=1)
    assert reach[0] < 0.62 * reach[1]


@pytest.mark.parametrize("form", list(GRASPED))
def test_things_fit_into_the_hand(form: str) -> None:
    generator, held_things = np.random.default_rng(3), 0
    for angles in untangled(limited(np.stack(list(HOLDING[GRASPED[form]].values())))):
        posed = load_hand().pose(torch.from_numpy(hand_pose(angles[None])).float())
        skin, joints = posed.vertices[0].numpy(), posed.joints[0].double().numpy()
        thing = held.held_thing(form, joints, skin, generator)
        if thing is None:
            continue
        held_things += 1
        mesh = Trimesh(thing.vertices, thing.faces)
        assert mesh.volume > 0, "its faces look outwards"
        surface = mesh.sample(3000, seed=1)
        assert np.linalg.norm(surface[:, None] - skin[::2], axis=2).min() < 0.008, "it is in the hand"
        if form == "sphere":
            middle = thing.vertices.mean(0)
            radius = np.linalg.norm(thing.vertices - middle, axis=1).max()
            assert np.linalg.norm(skin[::3] - middle, axis=1).min() > radius - 1e-5, "no skin within"
    assert held_things >= 3


def test_looks_lie_where_they_should() -> None:
    generator, r = np.random.default_rng(4), hand_regions()
    ends = [n for n, name in enumerate(HAND_PART_NAMES) if name.endswith("end")]
    assert np.isin(r.links[r.nails > 0], ends).all()
    assert {HAND_PART_NAMES[n].split()[0] for n in r.links[r.nails > 0]} == {
        "thumb", "index", "middle", "ring", "pinky"
    }  # fmt: skip
    # The nails of the fingers look up where the palm looks down.
    assert r.normals[(r.nails > 0) & (r.links > 4), 1].max() < 0.1
    for _ in range(20):
        outfit = dress_hand(generator)
        clothed = np.isin(outfit.cloth, (SLEEVE, CUFF))
        assert outfit.sleeved == clothed.any() and r.reach[clothed].min(initial=1) > -0.01
        assert (outfit.cloth == NAIL).any() and 0 < outfit.albedo.min() <= outfit.albedo.max() < 1


def test_arms_come_from_below_and_never_at_the_lens() -> None:
    generator, elbow = np.random.default_rng(6), np.array([1.0, 0, 0])
    for egocentric in (True, False):
        turns = [turned_hand(elbow, egocentric, generator) for _ in range(60)]
        arms = np.stack([turn @ elbow for turn in turns])
        assert all(abs(np.linalg.det(turn) - 1) < 1e-9 for turn in turns)
        assert arms[:, 2].min() > -0.81 and arms[:, 1].mean() > 0.2
        if egocentric:
            assert arms[:, 1].min() > 0 > arms[:, 2].max()


def test_pictures_show_what_their_labels_say(pictures) -> None:
    assert len(pictures) >= 20
    body, overlaps = hand_template(), []
    for sample in pictures:
        assert sample.image.shape == (256, 256, 3) and sample.vertices.shape == (778, 3)
        assert np.abs(sample.joints[0]).max() < 1e-6 and sample.part_map.max() <= 16
        np.testing.assert_allclose(
            body.regress_joints(torch.from_numpy(sample.vertices)).numpy(), sample.joints, atol=1e-5
        )
        s, tx, ty = sample.camera
        points = ((sample.vertices[:, :2] + [tx, ty]) * s).astype(np.float32)
        index, _, _ = rasterise(
            points, sample.vertices[:, 2].copy(), body.faces.numpy().astype(np.int32), 256, 256
        )
        if not set(sample.tags) & {"occluded", "truncated", "sleeve"}:
            shown, drawn = sample.part_map > 0, index >= 0
            overlaps.append((shown & drawn).sum() / (shown | drawn).sum())
    # Near cameras see a hand otherwise than weak perspective does.
    assert len(overlaps) >= 4 and np.mean(overlaps) > 0.75


def test_a_thing_before_a_hand_hides_its_parts() -> None:
    generator = np.random.default_rng(8)
    (hand,) = model_hands(sample_poses(generator, 1), generator, occluded=1)
    assert len(hand.surface.faces) > hand.own_faces
    assert not hand.surface.face_parts[hand.own_faces :].any()
    alone = dataclasses.replace(
        hand,
        surface=dataclasses.replace(
            hand.surface,
            faces=hand.surface.faces[: hand.own_faces],
            face_parts=hand.surface.face_parts[: hand.own_faces],
        ),
    )
    shown = [photograph_hand(one, Scenery([]), np.random.default_rng(1)) for one in (alone, hand)]
    assert shown[0] is not None
    assert shown[1] is None or (shown[1].part_map > 0).sum() < (shown[0].part_map > 0).sum()
