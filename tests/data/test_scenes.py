"""Where and how synthetic people are photographed: what is drawn, marked and refused."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

numba = pytest.importorskip("numba", reason="generation needs numba (requirements-dev.txt)")

from hmnet.data.synthetic.people.person import populate  # noqa: E402
from hmnet.data.synthetic.raster import rasterise  # noqa: E402
from hmnet.data.synthetic.scenes import backdrop, darkroom, staging, texture  # noqa: E402
from hmnet.data.synthetic.scenes import photograph as scene  # noqa: E402
from hmnet.data.synthetic.scenes.furnishing import Place  # noqa: E402
from hmnet.data.synthetic.scenes.lighting import INDOORS, OUTDOORS, Lighting, choose_lighting  # noqa: E402
from hmnet.data.synthetic.scenes.photograph import SLICES, Scenery, photograph  # noqa: E402
from hmnet.data.synthetic.scenes.places import PLACES  # noqa: E402
from hmnet.data.synthetic.scenes.shadow import ground_shadows  # noqa: E402
from hmnet.data.synthetic.scenes.viewpoint import View, choose_view, stage_axes  # noqa: E402
from hmnet.errors import DataError  # noqa: E402

SIZE = 128
UPRIGHT = np.array([0.0, -1.0, 0.0])


def someone(seed: int = 0, kind: str = "standing"):
    generator = np.random.default_rng(seed)
    return next(populate(generator.normal(0, 0.1, (1, 24, 3)), np.array([kind]), generator))


def whole_view(distance: float = 4.0, shift=(0.0, 0.0), share: float = 0.85) -> View:
    """All of a standing person in the middle of the frame, seen squarely."""
    focal = share * SIZE * distance / 1.9
    return View(focal, SIZE / 2 + np.array(shift), distance, SIZE, stage_axes(UPRIGHT), -0.95, 0.0)


def photographed(monkeypatch, person, view=None, seed=0, scenery=None):
    generator = np.random.default_rng(seed)
    if view is not None:
        monkeypatch.setattr(scene, "choose_view", lambda *_: view)
    return photograph(person, scenery or Scenery([], size=SIZE, occluded=0), generator)


def shone(direction, ambient=0.4) -> Lighting:
    light = np.array([[*np.array(direction) / np.linalg.norm(direction), 2, 2, 2, 0.0]])
    return Lighting("sun", light, np.full((2, 3), ambient), 0.02, False)


def empty_stage(lighting, points, place):
    view = whole_view()
    shadows = ground_shadows(points, lighting.lights[0, :3], lighting.softness)
    nothing = np.full((SIZE, SIZE), -1, np.int32)
    return backdrop.draw_stage(view, place, lighting, shadows, nothing, np.zeros((0, 13), np.float32))


def plain_ground(grain: float = 0.0) -> Place:
    place = Place(indoors=False)
    place.plane(
        backdrop.FLOOR,
        0.0,
        texture.material(np.random.default_rng(0), texture.PLAIN, np.full(3, 0.4), grain=grain),
    )
    return place


def test_a_seed_means_the_same_scene():
    for seed in range(4):
        made = [
            photograph(someone(seed), Scenery([], size=SIZE), np.random.default_rng(seed)) for _ in range(2)
        ]
        if made[0] is None:
            assert made[1] is None
            continue
        np.testing.assert_array_equal(made[0].image, made[1].image)
        np.testing.assert_array_equal(made[0].part_map, made[1].part_map)
        assert made[0].tags == made[1].tags


def test_box_camera_and_part_map_agree():
    generator, scenery = np.random.default_rng(3), Scenery([], size=SIZE)
    seen = 0
    for seed in range(8):
        sample = photograph(someone(seed), scenery, generator)
        if sample is None:
            continue
        seen += 1
        rows, columns = np.nonzero(sample.part_map)
        assert tuple(sample.box) == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        assert sample.image.shape == (SIZE, SIZE, 3) and sample.image.dtype == np.uint8
        assert set(sample.tags) <= set(SLICES)
    assert seen > 5


def test_a_whole_person_in_the_open_is_marked_with_nothing_but_its_side(monkeypatch):
    sample = photographed(monkeypatch, someone(), whole_view())
    assert not {"truncated", "crowded", "seated", "occluded"} & set(sample.tags)


@pytest.mark.parametrize(
    ("shift", "cut"), [((0, 0), False), ((0, 45), True), ((0, -45), True), ((2, 1), False)]
)
def test_truncated_is_what_the_frame_cuts(monkeypatch, shift, cut):
    sample = photographed(monkeypatch, someone(), whole_view(shift=shift))
    assert ("truncated" in sample.tags) == cut


def test_share_cut_agrees_with_a_drawing_on_a_larger_canvas():
    person, view = someone(), whole_view(shift=(0, 50))
    points, depths = view.project(person.surface.vertices)
    index, _, _ = rasterise(points + SIZE, depths, person.surface.faces, 3 * SIZE, 3 * SIZE)
    inside = np.count_nonzero(index[SIZE : 2 * SIZE, SIZE : 2 * SIZE] >= 0)
    assert abs(scene._share_cut(person, view) - (1 - inside / np.count_nonzero(index >= 0))) < 0.02


def test_occluded_is_what_something_hides(monkeypatch):
    def wall(place, person, view, generator):
        paint = place.add(texture.material(generator, texture.PLAIN, np.full(3, 0.5)))
        place.box((0, 0.4, -1.2), (3, 0.8, 0.05), paint)

    person = someone()
    monkeypatch.setattr(scene, "choose_place", lambda generator: plain_ground())
    free = photographed(monkeypatch, person, whole_view())
    monkeypatch.setattr(scene, "seat", wall)
    behind_wall = photographed(monkeypatch, person, whole_view())
    assert "occluded" in behind_wall.tags and "occluded" not in free.tags
    hidden = (free.part_map > 0) & (behind_wall.part_map == 0)
    assert np.nonzero(hidden)[0].mean() > np.nonzero(behind_wall.part_map)[0].mean()
    assert (free.part_map[behind_wall.part_map > 0] > 0).all()


def test_crowded_is_when_somebody_else_is_seen(monkeypatch):
    scenery, tags = Scenery([], size=SIZE, occluded=0), []
    monkeypatch.setattr(scene, "choose_place", lambda generator: plain_ground())
    photographed(monkeypatch, someone(), whole_view(), 0, scenery)
    assert len(scenery.passers_by) == 1
    for seed in range(24):
        kept = replace(scenery, passers_by=list(scenery.passers_by))
        sample = photographed(monkeypatch, someone(), whole_view(), seed, kept)
        alone = photographed(monkeypatch, someone(), whole_view(), seed)
        tags.append("crowded" in sample.tags)
        assert "crowded" not in alone.tags
    assert 1 < sum(tags) < 20


@pytest.mark.parametrize(
    ("kind", "seated"), [("sitting", True), ("riding", True), ("floor", True), ("walking", False)]
)
def test_seated_follows_the_kind_of_pose(monkeypatch, kind, seated):
    assert ("seated" in photographed(monkeypatch, someone(2, kind), whole_view()).tags) == seated


def test_from_behind_is_when_the_back_shows(monkeypatch):
    def facing(person, turn):
        c, s = np.cos(turn), np.sin(turn)
        y_turn = np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]], np.float32)
        surface = replace(
            person.surface, vertices=person.surface.vertices @ y_turn, normals=person.surface.normals @ y_turn
        )
        return replace(person, surface=surface, joints=person.joints @ y_turn)

    person = someone()
    hips = person.joints[1] - person.joints[2]
    frontal = facing(person, np.arctan2(hips[2], hips[0]))
    across = frontal.joints[1] - frontal.joints[2]
    if across[0] < 0 or abs(across[2]) > 0.05:
        frontal = facing(person, -np.arctan2(hips[2], hips[0]))
    assert "from behind" not in photographed(monkeypatch, frontal, whole_view()).tags
    assert "from behind" in photographed(monkeypatch, facing(frontal, np.pi), whole_view()).tags


def test_a_shadow_darkens_the_ground_away_from_the_light():
    column = np.column_stack([np.zeros(400), np.linspace(0, 1.2, 400), np.zeros(400)])
    place = plain_ground()
    for side in (-1, 1):
        lighting = shone((side, 1.0, 0))
        bare, _ = empty_stage(lighting, np.zeros((0, 3)), place)
        shaded, _ = empty_stage(lighting, column, place)
        dark = np.nonzero(shaded.mean(-1) < 0.8 * bare.mean(-1))
        assert len(dark[0]) > 20 and (shaded <= bare + 1e-6).all()
        # The ground is below the horizon, and the light's side stays bright but for the foot.
        assert dark[0].min() > SIZE / 2
        assert side * (dark[1].mean() - SIZE / 2) < -3


def test_the_foot_of_a_thing_is_dark_in_any_light():
    foot = np.random.default_rng(0).uniform([-0.1, 0, -0.1], [0.1, 0.03, 0.1], (300, 3))
    cast, under = ground_shadows(foot, np.array([0.0, 1.0, 0.0]), 0.05)
    assert under[len(under) // 2, len(under) // 2] > 0.5 and under[2, 2] < 0.01
    assert cast.max() <= 1 and under.max() <= 1


def test_places_differ_and_have_the_noise_of_photographs():
    pictures = []
    for family in dict.fromkeys(PLACES):
        generator = np.random.default_rng(1)
        place = family(generator)
        lighting = choose_lighting(generator, place.indoors, 0.0)
        picture, depth, _ = scene._draw_place(
            someone(), whole_view(), place, lighting, np.full((2 * SIZE, 2 * SIZE), np.inf, np.float32)
        )
        assert np.isfinite(picture).all() and (picture >= 0).all() and (depth > 0).all(), family.__name__
        flat = np.abs(np.diff(np.log(picture.mean(-1) + 0.01), axis=1))
        assert (flat > 0).mean() > 0.8, f"{family.__name__} has areas of one colour"
        pictures.append(np.log(picture + 0.01))
    assert len(pictures) >= 8
    for i, one in enumerate(pictures):
        for two in pictures[:i]:
            assert np.abs(one - two).mean() > 0.15


def test_the_ground_lies_in_perspective():
    picture, depth = empty_stage(shone((0, 1, 0)), np.zeros((0, 3)), plain_ground())
    view = whole_view()
    ground = np.array([[0.3, 0.0, 1.5]])
    pixel, far = view.project(view.from_stage(ground))
    x, y = np.floor(pixel[0]).astype(int)
    assert abs(depth[y, x] - far[0]) < 0.2
    np.testing.assert_allclose(view.to_stage(view.from_stage(ground)), ground, atol=1e-9)
    np.testing.assert_allclose(view.eye, [0, 0.95, -4], atol=1e-9)
    assert picture[-1].mean() > 0.2


def test_boxes_show_three_sides_at_most_and_hide_what_is_behind():
    boxes = np.array([[0, 0.5, 0, 0.5, 0.5, 0.5, 0.6, 0.0, 0], [0, 0.5, 3, 0.2, 0.2, 0.2, 0, 0, 0]], float)
    corners, faces, sides = backdrop.box_mesh(boxes)
    view = whole_view()
    points, depths = view.project(view.from_stage(corners))
    index, _, nearest = rasterise(points, depths, faces, SIZE, SIZE)
    shown = np.unique(index[index >= 0] // 2)
    assert 2 <= len(shown) <= 3 and shown.max() < 6
    toward = view.eye - boxes[0, :3]
    assert all(sides[side, 9:12] @ toward > 0 for side in shown)
    assert nearest.min() < view.distance


def test_views_keep_their_promises():
    person, shares, distances = someone(), [], []
    for seed in range(120):
        surface = person.surface.vertices
        view = choose_view(surface, person.joints, person.up, np.random.default_rng(seed), SIZE)
        points, depths = view.project(surface)
        assert depths.min() > 0.45
        np.testing.assert_allclose(view.axes @ view.axes.T, np.eye(3), atol=1e-6)
        shares.append((points.max(0) - points.min(0)).max() / SIZE)
        distances.append(view.distance)
    shares = np.array(shares)
    assert ((shares > 0.58) & (shares < 0.97)).mean() > 0.55
    assert (shares > 1.1).any() and (shares < 0.6).any()
    assert min(distances) < 1.7 and max(distances) > 9


@pytest.mark.parametrize("indoors", [True, False])
def test_lights_are_sane_and_come_in_all_kinds(indoors):
    kinds = set()
    for seed in range(150):
        lighting = choose_lighting(np.random.default_rng(seed), indoors, 0.4)
        kinds.add(lighting.kind)
        np.testing.assert_allclose(np.linalg.norm(lighting.lights[:, :3], axis=1), 1, atol=1e-6)
        assert 0 <= lighting.shadow <= 1 and (lighting.ambient >= 0).all()
    assert kinds == set(INDOORS if indoors else OUTDOORS)


def test_a_flash_comes_from_the_camera_whatever_the_stage_s_turn():
    view = replace(whole_view(), axes=stage_axes(UPRIGHT, 0.6), turn=0.6)
    for seed in range(400):
        lighting = choose_lighting(np.random.default_rng(seed), True, view.turn)
        if lighting.kind == "flash":
            lights, _ = lighting.for_camera(view.axes)
            assert lights[0, 2] < -0.8
            break
    else:
        raise AssertionError("no flash in 400 pictures")


def test_blur_agrees_with_a_slow_twin():
    picture = np.random.default_rng(0).random((20, 24, 3), dtype=np.float32)
    sigma, radius = 1.1, 3
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    padded = np.pad(picture, ((radius,) * 2, (radius,) * 2, (0, 0)), mode="edge")
    slow = sum(
        kernel[i] * kernel[j] * padded[i : i + 20, j : j + 24]
        for i in range(2 * radius + 1) for j in range(2 * radius + 1)
    )  # fmt: skip
    np.testing.assert_allclose(darkroom.blurred(picture, sigma), slow, atol=1e-5)


def test_the_darkroom_meters_the_light():
    light = np.full((64, 64, 3), 0.2, np.float32)
    dark, bright = (
        darkroom.develop(light * gain, np.ones((64, 64)), False, np.random.default_rng(1))
        for gain in (0.05, 5)
    )
    assert abs(dark.mean() - bright.mean()) < 3 and 40 < dark.mean() < 215
    noise = darkroom.develop(light, np.ones((64, 64)), True, np.random.default_rng(1))
    assert np.diff(noise.astype(int), axis=1).std() > np.diff(dark.astype(int), axis=1).std()


def test_passers_by_stand_on_the_same_ground_and_are_cut_without_seams(monkeypatch):
    scenery, view = Scenery([], size=SIZE, occluded=0), whole_view()
    monkeypatch.setattr(scene, "choose_place", lambda generator: plain_ground())
    photographed(monkeypatch, someone(), view, 0, scenery)
    (kept,) = scenery.passers_by
    assert kept.grounded and 1.2 < kept.height < 2.6
    assert kept.cutout[..., 3].max() == 1 and (kept.cutout[[0, -1], :, 3] == 0).all()
    generator, seen = np.random.default_rng(1), 0
    for _ in range(20):
        placed = staging.place_passer_by(kept, view, np.ones(3), "behind", generator)
        if placed is None:
            continue
        depth, rows = placed.depth, np.nonzero(placed.layer[..., 3].max(1) > 0.05)[0]
        rows = rows + placed.window[0].start
        if not len(rows):
            continue
        seen += 1
        _, foot = view.project(view.from_stage(np.array([[0, 0, depth - view.distance]])))[0][0]
        assert depth > view.distance and abs(rows.max() - foot) < 6
    assert seen > 5


def test_neighbours_stand_in_a_row_and_the_label_follows_who_is_in_front(monkeypatch):
    scenery, view = Scenery([], size=SIZE, occluded=0), whole_view()
    monkeypatch.setattr(scene, "choose_place", lambda generator: plain_ground())
    photographed(monkeypatch, someone(), view, 0, scenery)
    row = [
        one
        for seed in range(12)
        for one in staging.neighbours(scenery.passers_by, view, np.ones(3), np.random.default_rng(seed))
    ]
    assert len(row) > 10
    assert all(abs(one.depth - view.distance) < 0.5 for one in row)
    middles = [(one.window[1].start + one.window[1].stop) / 2 - SIZE / 2 for one in row]
    assert min(middles) < -5 and max(middles) > 5
    monkeypatch.setattr(scene, "_others", lambda *_: (np.zeros((SIZE, SIZE), bool), []))
    alone = photographed(monkeypatch, someone(), view)
    cover = staging.Placed(np.ones((SIZE, SIZE // 2, 4), np.float32), (slice(None), slice(SIZE // 2)), 3.0)
    monkeypatch.setattr(scene, "_others", lambda *_: (np.zeros((SIZE, SIZE), bool), [cover]))
    covered = photographed(monkeypatch, someone(), view)
    assert not covered.part_map[:, : SIZE // 2].any() and "crowded" in covered.tags
    np.testing.assert_array_equal(covered.part_map[:, SIZE // 2 :], alone.part_map[:, SIZE // 2 :])


def test_shadows_fall_on_what_looks_like_ground():
    generator = np.random.default_rng(0)
    lawn = 0.3 + 0.03 * generator.random((SIZE, SIZE, 1)) + np.zeros(3)
    fence = 0.3 + 0.3 * (np.arange(SIZE) // 4 % 2)[None, :, None] + np.zeros((SIZE, 1, 3))
    assert backdrop.groundlike(lawn) > 0.7 and backdrop.groundlike(fence) < 0.3


def test_feathering_lightens_edges_from_within_only():
    alpha = np.zeros((20, 20, 1), np.float32)
    alpha[:, 8:] = 1
    layer, soft = darkroom.feathered(alpha * np.float32([0.2, 0.4, 0.6]), alpha, 1.0)
    assert (soft[:, :8] == 0).all() and (soft[:, 13:] == 1).all()
    assert 0.4 < soft[10, 8, 0] < soft[10, 9, 0] < 1
    np.testing.assert_allclose(layer[..., 1], 0.4 * soft[..., 0], atol=1e-6)


def test_backgrounds_must_be_there_and_readable(tmp_path):
    with pytest.raises(DataError, match="not a folder"):
        Scenery.load(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no readable"):
        Scenery.load(tmp_path / "empty")
    folder = tmp_path / "some"
    folder.mkdir()
    Image.fromarray(np.full((40, 60, 3), 90, np.uint8)).save(folder / "good.JPG")
    (folder / "bad.png").write_bytes(b"no picture")
    with pytest.warns(UserWarning, match=r"bad\.png"):
        scenery = Scenery.load(folder)
    assert len(scenery.backgrounds) == 1 and scenery.backgrounds[0].shape == (40, 60, 3)
    assert Scenery.load(None).backgrounds == []


def test_a_photograph_behind_is_recognised(monkeypatch):
    photo = np.zeros((64, 64, 3), np.uint8)
    photo[:, :32] = [250, 40, 40]
    photo[:, 32:] = [40, 40, 250]
    pictures = []
    for seed in range(12):
        sample = photographed(
            monkeypatch, someone(), whole_view(), seed, Scenery([photo], size=SIZE, occluded=0)
        )
        edge = sample.image[:20].astype(int)
        pictures.append(abs((edge[..., 0] - edge[..., 2]).reshape(-1)).mean())
    assert np.median(pictures) > 40
