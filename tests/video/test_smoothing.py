"""The one-euro filter against a slow twin and against what it promises; predictions smoothed."""

import math
from dataclasses import replace

import numpy as np
import pytest
from red_video import red_frame

from hmnet.predictor import Prediction, Predictor
from hmnet.video.smoothing import OneEuro, Smoother, Smoothing, smoothed

SETTINGS = Smoothing(min_cutoff=1.5, beta=3.0, d_cutoff=0.8)


def filtered(values: np.ndarray, seconds: np.ndarray, settings: Smoothing = SETTINGS) -> np.ndarray:
    one = OneEuro(settings)
    return np.stack([one(value, moment) for value, moment in zip(values, seconds, strict=True)])


def slow_twin(points: list[list[float]], seconds: list[float], settings: Smoothing) -> list[list[float]]:
    """The paper's algorithm 1 for one point, number by number, the cutoff by the length of its speed."""

    def alpha(cutoff: float, step: float) -> float:
        tau = 1 / (2 * math.pi * cutoff)
        return 1 / (1 + tau / step)

    answers = [list(points[0])]
    derivative = [0.0] * len(points[0])
    for index in range(1, len(points)):
        step = seconds[index] - seconds[index - 1]
        share = alpha(settings.d_cutoff, step)
        for axis in range(len(derivative)):
            slope = (points[index][axis] - answers[-1][axis]) / step
            derivative[axis] = share * slope + (1 - share) * derivative[axis]
        speed = math.sqrt(sum(number**2 for number in derivative))
        share = alpha(settings.min_cutoff + settings.beta * speed, step)
        pairs = zip(points[index], answers[-1], strict=True)
        answers.append([share * new + (1 - share) * old for new, old in pairs])
    return answers


@pytest.fixture
def walk() -> tuple[np.ndarray, np.ndarray]:
    """A random walk of 5 points at uneven moments: (60, 5, 3) m, (60,) s."""
    generator = np.random.default_rng(0)
    return generator.normal(0, 0.02, (60, 5, 3)).cumsum(0), generator.uniform(0.02, 0.08, 60).cumsum()


def test_the_slow_twin_agrees(walk: tuple[np.ndarray, np.ndarray]) -> None:
    values, seconds = walk
    fast = filtered(values, seconds)
    for point in range(5):
        twin = slow_twin(values[:, point].tolist(), seconds.tolist(), SETTINGS)
        assert np.allclose(fast[:, point], twin, atol=1e-12)


def test_a_constant_stays(walk: tuple[np.ndarray, np.ndarray]) -> None:
    values = np.broadcast_to(walk[0][:1], walk[0].shape)
    assert np.array_equal(filtered(values, walk[1]), values)


def test_moving_and_turning_the_axes_moves_and_turns_the_answer(walk: tuple[np.ndarray, np.ndarray]) -> None:
    values, seconds = walk
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    expected = filtered(values, seconds) @ turn + [1.0, -2.0, 3.0]
    assert np.allclose(filtered(values @ turn + [1.0, -2.0, 3.0], seconds), expected, atol=1e-12)


def test_other_units_with_their_metre_give_the_same(walk: tuple[np.ndarray, np.ndarray]) -> None:
    values, seconds = walk
    one = OneEuro(SETTINGS)
    pixels = [one(400 * value, moment, metre=400) for value, moment in zip(values, seconds, strict=True)]
    assert np.allclose(np.stack(pixels) / 400, filtered(values, seconds), atol=1e-12)


def test_jitter_of_what_rests_falls() -> None:
    noise = np.random.default_rng(0).normal(0, 0.01, (200, 30, 3))
    seconds = np.arange(200) / 25
    calm = filtered(noise, seconds, Smoothing())
    # The second differences, which the eye sees as trembling.
    assert np.abs(np.diff(calm, 2, axis=0)).mean() < 0.4 * np.abs(np.diff(noise, 2, axis=0)).mean()
    assert calm[20:].std() < 0.7 * noise.std()


@pytest.mark.parametrize("speed", [0.1, 1.0, 10.0])
def test_lag_is_bounded_at_any_speed(speed: float) -> None:
    seconds = np.arange(200) / 25
    values = np.stack([speed * seconds, 0 * seconds], 1)
    lag = (values - filtered(values, seconds))[-1, 0]
    assert 0 < lag < 1 / (2 * np.pi * SETTINGS.beta)
    expected = speed / (2 * np.pi * (SETTINGS.min_cutoff + SETTINGS.beta * speed))
    # The speed is measured against the answer, as in the paper, so that it is a little too high.
    assert lag == pytest.approx(expected, rel=0.9)


def test_a_moment_twice_changes_nothing_and_the_callers_array_is_left_alone() -> None:
    one = OneEuro(SETTINGS)
    first = np.ones((2, 3))
    one(first, 0.0)
    first[:] = 9
    before = one(np.full((2, 3), 1.5), 0.1).copy()
    assert np.array_equal(one(np.full((2, 3), 7.0), 0.1), before) and before.max() < 1.5


@pytest.fixture(scope="module")
def predictions(red_checkpoint) -> tuple[Predictor, list[Prediction | None]]:
    """Predictions of a red patch with noise on the mesh and on the camera; nobody in the tenth."""
    predictor = Predictor(red_checkpoint, engine="torch")
    seen = predictor.predict(red_frame((120, 40, 180, 200)))
    generator = np.random.default_rng(0)
    noisy: list[Prediction | None] = []
    for _ in range(20):
        raw = seen.raw_vertices + generator.normal(0, 0.01, seen.raw_vertices.shape).astype(np.float32)
        camera = seen.camera * [1 + generator.normal(0, 0.02), 1, 1]
        noisy.append(predictor.regularise(replace(seen, raw_vertices=raw, camera=camera)))
    noisy[10] = None
    return predictor, noisy


def test_everything_of_a_smoothed_prediction_agrees(
    predictions: tuple[Predictor, list[Prediction | None]],
) -> None:
    predictor, noisy = predictions
    seconds = np.arange(20) / 25
    calm = smoothed(predictor, noisy, seconds, SETTINGS)
    raw = np.stack([one.raw_vertices for one in noisy[:10]])
    assert np.allclose([one.raw_vertices for one in calm[:10]], filtered(raw, seconds[:10]), atol=1e-6)
    for one in calm[:10]:
        again = predictor.regularise(one)
        assert np.array_equal(one.vertices, again.vertices)
        scale, tx, ty = one.camera
        x, y, _ = one.named_joints["left_knee"]
        assert np.allclose(one.keypoints_2d["left_knee"], [scale * (x + tx), scale * (y + ty)], atol=1e-6)
    assert np.array_equal(noisy[5].raw_vertices, raw[5])


def test_who_comes_back_starts_anew(predictions: tuple[Predictor, list[Prediction | None]]) -> None:
    predictor, noisy = predictions
    calm = smoothed(predictor, noisy, np.arange(20) / 25, SETTINGS)
    assert calm[10] is None
    for index in (0, 11):
        assert np.allclose(calm[index].raw_vertices, noisy[index].raw_vertices, atol=1e-7)
        assert np.allclose(calm[index].camera, noisy[index].camera)
    assert not np.allclose(calm[12].raw_vertices, noisy[12].raw_vertices, atol=1e-4)


def test_the_camera_trembles_less_wherever_the_person_is(
    predictions: tuple[Predictor, list[Prediction | None]],
) -> None:
    predictor, noisy = predictions
    scales = np.array([one.camera[0] for one in noisy[:10]])
    smoother = Smoother(predictor, SETTINGS)
    calm = np.array([smoother.smooth(one, i / 25).camera for i, one in enumerate(noisy[:10])])
    assert np.abs(np.diff(calm[:, 0])).mean() < 0.4 * np.abs(np.diff(scales)).mean()
    # The picture shifted by (1000, 500) px: the same camera, shifted.
    shifted = Smoother(predictor, SETTINGS)
    for index, one in enumerate(noisy[:10]):
        camera = one.camera + np.array([0, 1000, 500]) / [1, one.camera[0], one.camera[0]]
        there = shifted.smooth(replace(one, camera=camera), index / 25).camera
        expected = calm[index] + np.array([0, 1000, 500]) / [1, calm[index][0], calm[index][0]]
        assert np.allclose(there, expected)
