"""A rendered clip: one person, one place, a movement without jerks, a truth that lies over the pictures."""

import itertools

import av
import numpy as np
import pytest
from safetensors.numpy import load_file

from hmnet.body import load_body
from hmnet.camera import project
from hmnet.data.synthetic.film import film, main
from hmnet.data.synthetic.poses.cycles import MOVEMENTS, moving_pose
from hmnet.data.synthetic.poses.skeleton import joint_positions
from hmnet.errors import DataError

SIZE, SEED = 160, 6


@pytest.fixture(scope="module")
def walk():
    return list(film("walking", 2, 2, SEED, SIZE))


def test_the_truth_lies_over_the_person(walk):
    for sample in walk:
        points = project(sample.vertices, sample.camera)
        rows, columns = np.nonzero(sample.part_map)
        low, high = points.min(0), points.max(0)
        # Clothes stand off the body, and a weak perspective is not the camera's own.
        assert np.abs(low - [columns.min(), rows.min()]).max() < 0.05 * SIZE
        assert np.abs(high - [columns.max(), rows.max()]).max() < 0.05 * SIZE


def test_who_walks_comes_nearer_before_a_place_that_stays(walk):
    heights = [np.ptp(np.nonzero(sample.part_map)[0]) for sample in walk]
    assert all(later > sooner for sooner, later in itertools.pairwise(heights))
    nobody = ~np.any([sample.part_map > 0 for sample in walk], axis=0)
    nobody &= np.arange(SIZE)[:, None] < SIZE // 4  # above the shadows
    far = [sample.image[nobody].astype(int) for sample in walk]
    assert nobody.sum() > 1000 and np.abs(far[0] - far[-1]).mean() < 12
    sizes = [np.ptp(sample.vertices[:, 1]) for sample in walk]
    assert np.ptp(sizes) < 0.12, "the same person all along"


def test_truth_is_relative_to_the_root(walk):
    body = load_body()
    for sample in walk:
        pelvis = body.joint_index("pelvis")
        np.testing.assert_allclose(sample.joints[pelvis], 0, atol=1e-5)


@pytest.mark.parametrize("movement", MOVEMENTS)
def test_movements_have_no_jerks(movement):
    times = np.arange(0, 4, 0.04)
    points = joint_positions(np.stack([moving_pose(movement, now) for now in times]))
    speeds = np.linalg.norm(np.diff(points, axis=0), axis=-1) / 0.04
    assert speeds.max() < 8, "m a second, of any joint"
    assert speeds.max() > 0.5, "something moves"


def test_who_walks_repeats_the_steps():
    period = 2 / 1.75
    np.testing.assert_allclose(moving_pose("walking", 0.3), moving_pose("walking", 0.3 + period), atol=1e-5)


def test_the_command_writes_a_clip_and_its_truth(tmp_path):
    path = tmp_path / "some" / "wave.mp4"
    main(["--output", str(path), "--movement", "waving", "--seconds", "0.5", "--rate", "6", "--seed", "6",
          "--size", "96"])  # fmt: skip
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    truth = load_file(path.with_suffix(".safetensors"))
    assert len(frames) == 3 and frames[0].shape == (96, 96, 3)
    assert {name: array.shape for name, array in truth.items()} == {
        "vertices": (3, 1229, 3), "joints": (3, 24, 3), "camera": (3, 3), "box": (3, 4),
    }  # fmt: skip
    regressed = load_body().joint_regressor.to_dense().numpy() @ truth["vertices"].astype(np.float32)
    np.testing.assert_allclose(regressed, truth["joints"], atol=0.01)


def test_equal_seeds_give_equal_clips():
    one, other = (next(film("waving", 0.5, 4, SEED, 96)) for _ in range(2))
    np.testing.assert_array_equal(one.image, other.image)


def test_what_cannot_be_filmed_is_said():
    with pytest.raises(DataError, match="choose one of walking"):
        next(film("flying", 1, 1))
    with pytest.raises(DataError, match="hides the person"):
        list(film("walking", 4, 1, seed=3, size=96))
