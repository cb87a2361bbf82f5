"""One person followed from frame to frame: each frame's box comes from what was seen in the frame before."""

from dataclasses import replace

import numpy as np

from hmnet.errors import NoPersonFoundError
from hmnet.person_box import LEAST_SIDE, BoxSearch, Candidate, mask_box, person_mask
from hmnet.predictor import Prediction, Predictor

LEAST_LIKENESS = 0.25
"""Below this the person is lost. A search asks for more (`BoxSearch.least_likeness`): who was there a moment
ago may turn away or be half hidden."""
SAME_PERSON = 0.3
"""Of somebody found anew, the least overlap (intersection over union) with where the person was last seen."""
LOOKS = 3
"""So often at most a frame is looked at, when the person seems to go on beyond the crop."""
EDGE = 2
"""px of the crop; what is seen this near its edge may go on beyond it."""
WIDENING = 0.15
"""Of the crop's side, by which the box is moved outwards there."""


class Tracker:
    """Follows one person through frames given in their order; one for each video or visitor.

    box: (4,) xyxy px, where the person is looked for in the next frame; None searches the whole frame. It may
    be kept and given to another tracker, which then goes on as this one would have.
    """

    def __init__(self, predictor: Predictor, box: np.ndarray | None = None) -> None:
        """box: of the person in the first frame, px; None takes whom the predictor finds first."""
        self._predictor = predictor
        self.box = None if box is None else np.asarray(box, np.float64)
        self._last: np.ndarray | None = None

    def follow(self, frame: np.ndarray) -> Prediction | None:
        """The person in the next frame (H, W, 3) uint8, or None where nobody is found: go on with the next.

        The prediction's box is where the person is in this frame, its crop where they were looked for.
        Raises BoxError when the box given for the first frame shows nothing of it.
        """
        prediction = None if self.box is None else self._look(frame, self.box)
        if prediction is None:
            prediction = self._search(frame)
        self.box = None if prediction is None else next_box(prediction, self._predictor.search)
        if self.box is None:
            return prediction
        self._last = self.box
        return replace(prediction, box=self.box)

    def _look(self, frame: np.ndarray, box: np.ndarray) -> Prediction | None:
        """Who is in a box of the frame; None for nobody that is surely a person."""
        for _ in range(LOOKS):
            try:
                prediction = self._predictor.predict(frame, box)
            except NoPersonFoundError:
                return None
            if prediction.person.likeness < LEAST_LIKENESS:
                return None
            wider = _wider_box(prediction, self._predictor.search)
            if wider is None:
                break
            box = wider
        return prediction

    def _search(self, frame: np.ndarray) -> Prediction | None:
        """Who is in the frame: the person last followed, where somebody is found there."""
        try:
            prediction = self._predictor.predict(frame)
        except NoPersonFoundError:
            return None
        if self._last is None:
            return prediction
        same = [one for one in prediction.people if overlap(one.box, self._last) >= SAME_PERSON]
        if not same or same[0] is prediction.people[0]:
            return prediction
        return self._look(frame, same[0].box) or prediction


def next_box(prediction: Prediction, search: BoxSearch) -> np.ndarray | None:
    """Where the person is to be looked for next: the box (4,) px of their parts and sure keypoints.

    Of all that is known it drifts least: it depends on what is seen in the crop, hardly on the crop (a
    search of the whole frame finds the same box within 1 % of its side), where the mesh's box is off by 5 %
    and lags. None when so little is left in the frame that there is nothing to look at.
    """
    seen = _seen_box(prediction, search)
    if seen is None:
        return None
    size = len(prediction.labels)
    box = prediction.crop.to_photo(seen.reshape(2, 2), size).ravel()
    box = box.clip(0, [*prediction.photo_size, *prediction.photo_size])
    return box if (box[2:] - box[:2]).min() >= LEAST_SIDE else None


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union of two boxes (4,) xyxy, in [0, 1]."""
    common = np.prod((np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])).clip(0))
    both = np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]) - common
    return float(common / both) if both > 0 else 0.0


def _seen_box(prediction: Prediction, search: BoxSearch) -> np.ndarray | None:
    """The box (4,) of the person's parts and sure keypoints, in px of the crop's part map."""
    size = len(prediction.labels)
    person = prediction.person
    person = Candidate(prediction.crop.to_crop(person.keypoints, size), person.heats)
    mask = person_mask(prediction.labels > 0, person, search)
    if not mask.any():
        return None
    box = mask_box(mask)
    # A leg that the part map misses is in the next crop all the same.
    sure = person.keypoints[person.heats >= search.least_heat]
    return np.concatenate([np.minimum(box[:2], sure.min(0)), np.maximum(box[2:], sure.max(0))])


def _wider_box(prediction: Prediction, search: BoxSearch) -> np.ndarray | None:
    """A box (4,) px that shows more where the person goes on beyond the crop; None where they do not."""
    seen = _seen_box(prediction, search)
    if seen is None:
        return None
    size, crop = len(prediction.labels), np.array(prediction.crop.box)
    width, height = prediction.photo_size
    at_edge = np.concatenate([seen[:2] < EDGE, seen[2:] > size - EDGE])
    # Beyond the frame there is nothing more to see.
    more = np.array([crop[0] > 0, crop[1] > 0, crop[2] < width, crop[3] < height])
    if not (at_edge & more).any():
        return None
    outwards = WIDENING * prediction.crop.side * np.array([-1, -1, 1, 1])
    box = prediction.crop.to_photo(seen.reshape(2, 2), size).ravel() + (at_edge & more) * outwards
    return box.clip(0, [width, height, width, height])
