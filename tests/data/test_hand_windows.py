"""Windows of pictures of hands: what they say of landmarks is what the picture shows."""

import numpy as np
import pytest

pytest.importorskip("numba", reason="training data need requirements-dev.txt")

from hmnet.body.hand_names import HAND_JOINT_NAMES
from hmnet.data.hand_windows import ASTRAY, hand_window, near_hand, stacked, upright_points
from hmnet.data.synthetic.hands.hand_model import model_hands
from hmnet.data.synthetic.hands.hand_picture import photograph_hand
from hmnet.data.synthetic.hands.hand_poses import sample_poses
from hmnet.data.synthetic.scenes.photograph import Scenery

WRIST, KNUCKLE = (HAND_JOINT_NAMES.index(name) for name in ("wrist", "middle1"))


@pytest.fixture(scope="module")
def samples():
    generator = np.random.default_rng(4)
    made = [photograph_hand(hand, Scenery([]), generator)
            for hand in model_hands(sample_poses(generator, 8), generator)]  # fmt: skip
    return [sample for sample in made if sample is not None]


@pytest.fixture(scope="module")
def windows(samples):
    generator = np.random.default_rng(5)
    return [(sample, hand_window(sample, 224, generator)) for sample in samples * 20]


def test_keypoints_lie_on_the_hand(samples):
    """Joints lie within the flesh, tips on its surface; now and then something held hides one."""
    on_it = []
    for sample in samples:
        places = sample.keypoints.astype(int)
        inside = places[((places >= 0) & (places < 256)).all(1)]
        on_it += (sample.part_map[inside[:, 1], inside[:, 0]] > 0).tolist()
    assert len(on_it) > 100 and np.mean(on_it) > 0.8


def test_hands_that_are_there_point_up(windows):
    present = [window for _, window in windows if window.present]
    up = [window.places[WRIST, 1] - window.places[KNUCKLE, 1] for window in present]
    assert np.mean(np.array(up) > 0) > 0.9
    assert 0.5 * ASTRAY < 1 - len(present) / len(windows) < 2 * ASTRAY + 0.1


def test_half_are_seen_in_a_mirror_and_their_truth_with_them(windows):
    right = np.array([window.right for _, window in windows])
    assert 0.35 < right.mean() < 0.65
    for sample, window in windows:
        # Turned about the line of sight and mirrored or not: a rotation, or one with a reflection.
        true = sample.joints - sample.joints.mean(0)
        turn = np.linalg.lstsq(true, window.shape, rcond=None)[0]
        assert np.linalg.det(turn) == pytest.approx(1 if window.right else -1, abs=1e-3)
        np.testing.assert_allclose(true @ turn, window.shape, atol=1e-5)


def test_landmarks_and_shape_agree(windows):
    """Far hands are seen in parallel: what the window shows is the shape, enlarged."""
    agreeing = []
    for _, window in windows:
        seen, true = (points[:, :2] - points[:, :2].mean(0) for points in (window.places, window.shape))
        agreeing.append((seen * true).sum() / np.linalg.norm(seen) / np.linalg.norm(true))
    assert np.median(agreeing) > 0.98


def test_landmarks_lie_on_the_labels(windows):
    """Which are a quarter as large as the picture, mirrored with it; some landmarks are at the rim."""
    on_it = []
    for _, window in windows:
        cells = np.floor(window.places[:, :2] / 4).astype(int)
        inside = cells[((cells >= 0) & (cells < 56)).all(1)]
        on_it += (window.labels[inside[:, 1], inside[:, 0]] > 0).tolist()
    assert np.mean(on_it) > 0.75


def test_a_batch_is_what_its_windows_are(windows):
    chosen = [window for _, window in windows[:3]]
    images, labels, places, shapes, flags = stacked(chosen)
    assert images.shape == (3, 224, 224, 3) and labels.shape == (3, 56, 56)
    assert places.shape == shapes.shape == (3, 21, 3) and flags.dtype == np.float32
    np.testing.assert_array_equal(labels[1], chosen[1].labels)
    np.testing.assert_array_equal(flags, [(window.present, window.right) for window in chosen])


def test_points_turn_with_the_window(samples):
    sample = samples[0]
    crop = near_hand(sample.keypoints, np.random.default_rng(0), 0.0)
    up = upright_points(sample.joints, crop)
    direction = (up[KNUCKLE] - up[WRIST])[:2]
    assert abs(np.arctan2(direction[0], -direction[1])) < 0.35
    lengths = np.linalg.norm(sample.joints, axis=1)
    np.testing.assert_allclose(np.linalg.norm(up, axis=1), lengths, atol=1e-6)
