"""Less jitter from frame to frame: the one-euro filter (Casiez, Roussel and Vogel, CHI 2012) on meshes.

A low-pass filter whose cutoff rises with the speed: what rests is smoothed much, what moves lags little.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from hmnet.predictor import Prediction, Predictor


@dataclass(frozen=True)
class Smoothing:
    """How much is smoothed.

    min_cutoff: Hz, of what rests; less smooths more. beta: Hz per m/s, that is 1/m, by which the cutoff
    rises with the speed; more lags less. d_cutoff: Hz, of the speed itself. The camera's scale counts by its
    logarithm and the place in the picture in metres of the body, so that the same numbers do for all three.
    """

    min_cutoff: float = 1.5
    beta: float = 5.0
    d_cutoff: float = 1.0


class OneEuro:
    """The filter for arrays of one shape (..., C); the last axis holds a point's coordinates.

    Differs from the paper: the speed is that of the point, not of each coordinate alone, so that turning the
    axes turns the answer and does nothing else.
    """

    def __init__(self, settings: Smoothing) -> None:
        self._settings = settings
        self.reset()

    def reset(self) -> None:
        """Forget what came: the next array starts anew and is answered as it is."""
        self._time = 0.0
        self._value: np.ndarray | None = None
        self._speed: np.ndarray | None = None

    def __call__(self, value: np.ndarray, seconds: float, metre: float = 1.0) -> np.ndarray:
        """The smoothed array, float64. seconds: when it was seen; one no later than the last has no effect.

        metre: how many of the array's units are a metre, for the speed.
        """
        value = np.array(value, np.float64)
        if self._value is None:
            self._time, self._value, self._speed = seconds, value, np.zeros_like(value)
            return value
        step = seconds - self._time
        if step <= 0:
            return self._value
        settings = self._settings
        speed = (value - self._value) / (step * metre)
        self._speed += _share(settings.d_cutoff, step) * (speed - self._speed)
        magnitude = np.linalg.norm(self._speed, axis=-1, keepdims=True)
        share = _share(settings.min_cutoff + settings.beta * magnitude, step)
        self._time, self._value = seconds, self._value + share * (value - self._value)
        return self._value


class Smoother:
    """Smooths the predictions of one person, given in their order."""

    def __init__(self, predictor: Predictor, settings: Smoothing | None = None) -> None:
        """settings: None takes the usual ones."""
        self._predictor = predictor
        settings = settings or Smoothing()
        self._body, self._place, self._scale = (OneEuro(settings) for _ in range(3))

    def reset(self) -> None:
        """Start anew, as with a person just found."""
        for one in (self._body, self._place, self._scale):
            one.reset()

    def smooth(self, prediction: Prediction | None, seconds: float) -> Prediction | None:
        """The prediction of that moment smoothed: vertices, all joints, keypoints and camera.

        None, nobody found, is given back, and whoever comes next starts anew. The raw vertices are smoothed
        and averaged (Eq. 3) afterwards, so that what follows from them agrees with them.
        """
        if prediction is None:
            self.reset()
            return None
        count = len(prediction.raw_vertices)
        points = self._body(np.concatenate([prediction.raw_vertices, prediction.joints]), seconds)
        points = points.astype(np.float32)
        smoothed = replace(
            prediction,
            raw_vertices=points[:count],
            joints=points[count:],
            camera=self._camera(prediction.camera, seconds),
        )
        return self._predictor.regularise(smoothed)

    def _camera(self, camera: np.ndarray, seconds: float) -> np.ndarray:
        """The camera (3,) smoothed: its scale, and where in the picture the pelvis is.

        Not its own tx and ty: these change with the scale the more, the further the picture's corner is.
        """
        scale, tx, ty = camera
        smooth_scale = np.exp(self._scale(np.log([scale]), seconds)[0])
        place = self._place(scale * np.array([tx, ty]), seconds, metre=smooth_scale)
        return np.array([smooth_scale, *(place / smooth_scale)])


def smoothed(
    predictor: Predictor,
    predictions: Iterable[Prediction | None],
    seconds: Iterable[float],
    settings: Smoothing | None = None,
) -> list[Prediction | None]:
    """A sequence of predictions of one person as `Smoother` smooths them; the sequence itself stays."""
    smoother = Smoother(predictor, settings)
    return [smoother.smooth(one, moment) for one, moment in zip(predictions, seconds, strict=True)]


def _share(cutoff: np.ndarray | float, step: float) -> np.ndarray | float:
    """How much of what is new a first-order low-pass filter takes in a step of so many seconds."""
    return 1 / (1 + 1 / (2 * np.pi * cutoff * step))
