"""From any photo to a `Prediction` of a hand: the same door as `hmnet.predictor`, for networks of hands.

Palms are found, or a box is given; the window around each is turned until the hand in it points up. The
networks know right hands alone: a left one is shown to them in a mirror, and what they answer is brought
back, so that all points lie in the photo's own camera frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hmnet.body.hand import SIDES
from hmnet.camera import fit_camera
from hmnet.checkpoint import Checkpoint
from hmnet.data.crop import Crop, square_crop
from hmnet.errors import BodyError, NoPersonFoundError, told
from hmnet.hand_search import HandSearch, find_hands
from hmnet.image import ImageSource, read_sized_image
from hmnet.people_search import Person
from hmnet.person_box import LEAST_SIDE, BoxSearch, Candidate, check_box, distinct
from hmnet.prediction import Prediction
from hmnet.predictor import Clock, Predictor, shows_someone
from hmnet.upright_hand import UprightHand, refined, upright_hands

LEAST_PRESENCE = 0.5
"""How sure `hmnet.handnet` must be that a window shows a hand: what else was found is a false palm."""
SAME = 0.2
"""Hands whose landmarks lie closer together than this share of the larger one's side are one."""
MOST = 12
"""So many palms are looked at from near; the others are the smallest and least sure ones."""
NOT_IN_PHOTO = (
    "No hand was found in the photo: take one that shows a whole hand, or mark the hand with a box."
)
NOT_IN_BOX = "No hand was found in the box: mark another one, or leave it out."


@dataclass(frozen=True)
class Hand(Person):
    """A hand found in a photo. crop: the window that shows it pointing up, and as a right one."""

    crop: Crop

    @property
    def turn(self) -> float:
        """Radians: the hand points in the photo's direction (sin turn, -cos turn)."""
        return self.crop.turn

    @property
    def side(self) -> str:
        """Which hand it is: "left" or "right"."""
        return "left" if self.crop.in_mirror else "right"

    def taken_for(self, side: str | None) -> "Hand":
        """The same as a hand of that side; as it is for None."""
        return self if side is None else replace(self, crop=replace(self.crop, in_mirror=side == "left"))

    def scaled(self, scale: float) -> "Hand":
        """The same hand in a photo of `scale` px per px of this one."""
        edges = tuple(edge * scale for edge in self.crop.box)
        return replace(self, box=self.box * scale, crop=replace(self.crop, box=edges))


class HandPredictor(Predictor):
    """The networks of a hand's checkpoint behind an engine; threads may share it.

    What `Predictor` says of a person holds of a hand here: `Prediction.people` are `Hand`s, its `side` says
    which hand it is, and its points are relative to the wrist.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        device: str | None = None,
        search: HandSearch | None = None,
        engine: str | None = None,
    ) -> None:
        """device, engine: see `hmnet.engines.choose_engine`; None takes the fastest there is.

        Raises HMNetError for a device or an engine that is unknown or not there.
        """
        # HMNet knows right hands alone, so it has no second view; landmarks are looked at in a mirror by
        # `hmnet.handnet` itself.
        super().__init__(checkpoint, device, BoxSearch(same=SAME), mirror=False, engine=engine)
        self.hand_search = search or HandSearch()

    def predict(
        self,
        image: ImageSource,
        box: Sequence[float] | np.ndarray | None = None,
        side: str | None = None,
    ) -> Prediction:
        """Everything about the hand in a photo: the one in the box, or else the first that is found.

        image: whatever `hmnet.image.read_image` takes. box: (4,) xyxy in px of the upright photo. side:
        "left" or "right", which hand it is; None takes it for what it looks like.
        Raises ImageError, BoxError, BodyError for an unknown side, or NoPersonFoundError.
        """
        _check_side(side)
        clock = Clock()
        photo, size = read_sized_image(image)
        scale = max(photo.shape[:2]) / max(size)
        clock.lap("read")
        if box is None:
            hands = self._someone(photo)
            hands[0] = hands[0].taken_for(side)
            box, people = hands[0].box / scale, tuple(hand.scaled(1 / scale) for hand in hands)
        else:
            box, people = check_box(box, size), ()
            hands = [hand.taken_for(side) for hand in self._in_boxes(photo, [box * scale])]
        clock.lap("find_person")
        if not hands:
            raise NoPersonFoundError(NOT_IN_BOX)
        (found,) = self._look_at_crops(photo, size, [box], [hands[0].crop], clock)
        if not shows_someone(found.labels):
            raise NoPersonFoundError(NOT_IN_PHOTO if people else NOT_IN_BOX)
        return replace(self._answered([found], clock)[0], people=people)

    def predict_people(
        self, image: ImageSource, boxes: Sequence[Sequence[float]] | np.ndarray | None = None
    ) -> list[Prediction]:
        """As `predict`, of every hand in a photo, or of those in the boxes (N, 4), all at once.

        A box without a hand is left out; `timings` are those of all together.
        """
        clock = Clock()
        photo, size = read_sized_image(image)
        scale = max(photo.shape[:2]) / max(size)
        clock.lap("read")
        if boxes is None:
            hands = self._someone(photo)
        else:
            hands = self._in_boxes(photo, [check_box(box, size) * scale for box in boxes])
        clock.lap("find_person")
        if not hands:
            return []
        crops, own = [hand.crop for hand in hands], [hand.box / scale for hand in hands]
        found = self._look_at_crops(photo, size, own, crops, clock)
        found = [one for one in found if shows_someone(one.labels)]
        return self._answered(found, clock) if found else []

    def find_people(self, photo: np.ndarray) -> list[Hand]:
        """Every hand found in a photo (H, W, 3) uint8, the largest and surest first."""
        preprocessing = self.checkpoint.preprocessing
        margin = preprocessing.crop_margin
        palms = find_hands(photo, self.hand_search)[:MOST]
        if not palms:
            return []
        crops = [Crop(square_crop(palm.box, margin).box, palm.turn) for palm in palms]
        looks = refined(self.engine.dense, [photo] * len(crops), crops, margin, preprocessing.image_size)
        pairs = [
            (look, _candidate(look, palm.likeness))
            for look, palm in zip(looks, palms, strict=True)
            if look.presence >= LEAST_PRESENCE
        ]
        # Two palms may turn out to be one hand. What is taken for a palm between two hands shows one, too,
        # but was never as surely a palm.
        kept = distinct([candidate for _, candidate in pairs], self.search)
        hands = [self._hand(*pair, photo) for pair in pairs if any(pair[1] is one for one in kept)]
        # What lies beyond the photo's edge for the most part has no box that could be looked at.
        hands = [hand for hand in hands if (hand.box[2:] - hand.box[:2]).min() >= LEAST_SIDE]
        return sorted(hands, key=_standing, reverse=True)

    def _someone(self, photo: np.ndarray) -> list[Hand]:
        """Every hand found in a photo; NoPersonFoundError when there is none."""
        hands = self.find_people(photo)
        if not hands:
            raise NoPersonFoundError(NOT_IN_PHOTO)
        return hands

    def _in_boxes(self, photo: np.ndarray, boxes: Sequence[np.ndarray]) -> list[Hand]:
        """The hands in boxes (4,), px of the photo; boxes without one are left out."""
        if not boxes:
            return []
        preprocessing = self.checkpoint.preprocessing
        looks = upright_hands(
            self.engine.dense,
            [photo] * len(boxes),
            boxes,
            preprocessing.crop_margin,
            preprocessing.image_size,
        )
        return [
            replace(self._hand(look, _candidate(look), photo), box=box)
            for look, box in zip(looks, boxes, strict=True)
            if look.presence >= LEAST_PRESENCE
        ]

    def _hand(self, look: UprightHand, candidate: Candidate, photo: np.ndarray) -> Hand:
        box = candidate.box(self.search.least_heat).clip(0, [photo.shape[1], photo.shape[0]] * 2)
        return Hand(box, look.presence, replace(look.crop, in_mirror=look.right < 0.5))

    def _camera(
        self, vertices: np.ndarray, keypoints: np.ndarray, part_map: np.ndarray, person: Candidate
    ) -> np.ndarray:
        """The camera (3,) that lays the mesh over the hand's landmarks."""
        return fit_camera(keypoints, person.keypoints, np.ones(len(keypoints)))


def predictor_of(checkpoint: Checkpoint, device: str | None = None, engine: str | None = None) -> Predictor:
    """The predictor for a checkpoint's body: a `HandPredictor` for hands, else a `Predictor`.

    Raises HMNetError for a device or an engine that is unknown or not there.
    """
    kind = HandPredictor if checkpoint.model.body.one_sided else Predictor
    return kind(checkpoint, device, engine=engine)


def _candidate(look: UprightHand, palm: float = 1.0) -> Candidate:
    """palm: how surely there is one, in [0, 1]; it counts as much as what the look says."""
    return Candidate(look.keypoints, np.full(len(look.keypoints), (palm * look.presence) ** 0.5))


def _check_side(side: str | None) -> None:
    if side is not None and side not in SIDES:
        raise BodyError(f"Unknown side {told(side)!r} of a hand: choose {' or '.join(SIDES)}.")


def _standing(hand: Hand) -> float:
    """What a photo is of: rather what is large, and surely a hand."""
    return hand.likeness * float(np.prod(hand.box[2:] - hand.box[:2])) ** 0.5
