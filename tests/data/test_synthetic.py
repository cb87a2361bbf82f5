"""The synthetic photographs: what is labelled is what is seen, and a seed means the same picture."""

import numpy as np
import pytest

numba = pytest.importorskip("numba", reason="generation needs numba (requirements-dev.txt)")

from hmnet.body import PART_INDEX, load_body  # noqa: E402
from hmnet.data.shards import read_shards, shard_paths, write_shard  # noqa: E402
from hmnet.data.synthetic import raster, shading  # noqa: E402
from hmnet.data.synthetic.people.appearance import dress, regions  # noqa: E402
from hmnet.data.synthetic.people.person import populate  # noqa: E402
from hmnet.data.synthetic.scenes.photograph import Scenery, photograph  # noqa: E402
from hmnet.errors import DataError  # noqa: E402


def samples(seed: int, count: int = 3):
    generator = np.random.default_rng(seed)
    poses, scenery = generator.normal(0, 0.15, (count + 4, 24, 3)), Scenery([])
    people = populate(poses, np.repeat("standing", len(poses)), generator)
    made = [photograph(person, scenery, generator) for person in people]
    return [sample for sample in made if sample is not None][:count]


def test_the_rasteriser_agrees_with_a_slow_twin():
    generator = np.random.default_rng(0)
    points = generator.uniform(0, 24, (12, 2)).astype(np.float32)
    depths = generator.uniform(1, 2, 12).astype(np.float32)
    faces = generator.permuted(np.tile(np.arange(12), (9, 1)), axis=1)[:, :3].astype(np.int32)
    index, weights, nearest = raster.rasterise(points, depths, faces, 24, 24)
    for y in range(24):
        for x in range(24):
            best, owner = np.inf, -1
            for f, (a, b, c) in enumerate(faces):
                matrix = np.stack([points[b] - points[a], points[c] - points[a]], 1).astype(float)
                if np.linalg.det(matrix) >= -1e-9:
                    continue
                v, w = np.linalg.solve(matrix, np.array([x + 0.5, y + 0.5]) - points[a])
                z = depths[a] + v * (depths[b] - depths[a]) + w * (depths[c] - depths[a])
                if min(v, w, 1 - v - w) >= 0 and z < best:
                    best, owner = z, f
            assert index[y, x] == owner
            if owner >= 0:
                assert abs(nearest[y, x] - best) < 1e-4
    assert (index >= 0).any() and (weights[index < 0] == 0).all()


def test_a_body_facing_the_camera_shows_its_front_and_its_left_on_the_right():
    body = load_body()
    vertices = body.vertices.numpy()
    points = (vertices[:, :2] * 60 + [64, 70]).astype(np.float32)
    faces = body.faces.numpy().astype(np.int32)
    index, _, _ = raster.rasterise(points, vertices[:, 2] + 4, faces, 128, 128)
    labels = raster.labels_of(index, body.face_parts.numpy().astype(np.uint8))
    front, back = (labels == PART_INDEX[f"torso {side}"] for side in ("front", "back"))
    assert front.sum() > 20 * back.sum()
    left, right = (np.nonzero(labels == PART_INDEX[f"{side} hand"])[1].mean() for side in ("left", "right"))
    assert left > right


def test_normals_point_outwards():
    body = load_body()
    vertices = body.vertices.numpy()
    normals = shading.smooth_normals(vertices, body.faces.numpy().astype(np.int32))
    torso = body.vertex_parts.numpy() == PART_INDEX["torso front"]
    assert normals[torso, 2].mean() < -0.3
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-4)


def test_a_seed_means_the_same_pictures():
    for one, two in zip(samples(5), samples(5), strict=True):
        np.testing.assert_array_equal(one.image, two.image)
        np.testing.assert_array_equal(one.part_map, two.part_map)
        np.testing.assert_array_equal(one.vertices, two.vertices)
    assert not np.array_equal(samples(5)[0].image, samples(6)[0].image)


def test_labels_lie_where_the_camera_projects_the_body():
    for sample in samples(8):
        scale, tx, ty = sample.camera
        points = scale * (sample.vertices[:, :2] + [tx, ty])
        rows, columns = np.nonzero(sample.part_map)
        x0, y0, x1, y1 = sample.box
        assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == (x0, y0, x1, y1)
        inside = ((points > [x0 - 25, y0 - 25]) & (points < [x1 + 25, y1 + 25])).all(1)
        assert inside.mean() > 0.6
        assert sample.image.shape == (256, 256, 3) and sample.image.dtype == np.uint8


def test_clothes_cover_what_they_should():
    r = regions()
    assert 0.02 < r.scalp.mean() < 0.2 and r.eyes.sum() > 10 and r.lips.sum() > 5
    outfit = dress(np.random.default_rng(2))
    assert outfit.offset.min() >= 0 and outfit.offset.max() < 0.2
    assert len(np.unique(outfit.cloth)) > 4 and np.isfinite(outfit.albedo).all()


def test_shards_come_back_as_they_went(tmp_path):
    made = samples(9, 2)
    assert write_shard(tmp_path / "00000.tar", made, np.random.default_rng(0)) == 2
    back = list(read_shards(shard_paths(tmp_path)))
    for one, two in zip(made, back, strict=True):
        np.testing.assert_array_equal(one.part_map, two.part_map)
        np.testing.assert_allclose(one.vertices, two.vertices, atol=1e-3)
        assert (one.kind, one.tags) == (two.kind, two.tags) and one.kind == "standing"
        assert np.abs(one.image.astype(int) - two.image).mean() < 8


def test_a_broken_writer_leaves_no_shard(tmp_path):
    def failing():
        yield samples(9, 1)[0]
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        write_shard(tmp_path / "00000.tar", failing(), np.random.default_rng(0))
    with pytest.raises(DataError, match="generate"):
        shard_paths(tmp_path)


def test_a_foreign_tar_is_named(tmp_path):
    (tmp_path / "00000.tar").write_bytes(b"not a tar at all")
    with pytest.raises(DataError, match=r"00000\.tar"):
        list(read_shards(shard_paths(tmp_path)))
