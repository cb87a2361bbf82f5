"""Following one person: on a rendered clip with true boxes, and on red patches that do whatever they like."""

from pathlib import Path

import numpy as np
import pytest
from red_video import red_frame
from safetensors.numpy import load_file

from hmnet.checkpoint import load_checkpoint
from hmnet.errors import BoxError, NoPersonFoundError
from hmnet.predictor import Predictor
from hmnet.video.clip import open_clip
from hmnet.video.tracking import Tracker, overlap

CLIP = Path(__file__).parents[2] / "assets" / "clips" / "walking.mp4"


class Counted:
    """A predictor that counts how often it looks at a box, and how often at a whole frame."""

    def __init__(self, predictor: Predictor) -> None:
        self._predictor, self.search = predictor, predictor.search
        self.boxes = self.searches = 0

    def predict(self, image: np.ndarray, box: np.ndarray | None = None):
        self.boxes += box is not None
        self.searches += box is None
        return self._predictor.predict(image, box)


@pytest.fixture
def red(red_predictor: Predictor) -> Counted:
    return Counted(red_predictor)


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    """The weights that come with the program."""
    return Predictor(load_checkpoint())


def follow(predictor: Predictor | Counted, frames: list[np.ndarray], **options) -> list[np.ndarray | None]:
    """The person's box in each frame."""
    tracker = Tracker(predictor, **options)
    found = [tracker.follow(frame) for frame in frames]
    return [None if one is None else one.box for one in found]


def box_at(x: float, y: float, width: float, height: float) -> np.ndarray:
    return np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2])


def moved(box: np.ndarray, right: float) -> np.ndarray:
    return box + np.array([right, 0, right, 0])


def worst(boxes: list[np.ndarray | None], truth: list[np.ndarray]) -> float:
    """The least overlap of any frame."""
    return min(0.0 if a is None else overlap(a, b) for a, b in zip(boxes, truth, strict=True))


def test_a_rendered_person_is_followed_without_drift(predictor: Predictor) -> None:
    counted = Counted(predictor)
    boxes = follow(counted, [frame.image for frame in open_clip(CLIP)])
    truth = load_file(CLIP.with_suffix(".safetensors"))["box"]
    assert len(boxes) == len(truth) >= 50 and counted.searches == 1
    overlaps = np.array([overlap(a, b) for a, b in zip(boxes, truth, strict=True)])
    assert overlaps.min() > 0.75 and overlaps.mean() > 0.9
    # Neither does it get worse, nor does the box grow or shrink by itself.
    assert overlaps[-25:].mean() > overlaps[:25].mean() - 0.05
    sides = np.array([(box[2:] - box[:2]).max() for box in boxes])
    true_sides = (truth[:, 2:] - truth[:, :2]).max(1)
    assert np.abs(sides / true_sides - 1)[-25:].mean() < 0.06


def test_who_stands_still_keeps_the_box(predictor: Predictor) -> None:
    """The same frame 60 times: the box may settle, but not creep."""
    frame = next(iter(open_clip(CLIP))).image
    boxes = follow(predictor, [frame] * 60)
    side = (boxes[0][2:] - boxes[0][:2]).max()
    assert np.abs(boxes[-1] - boxes[0]).max() < 0.05 * side
    assert np.abs(np.stack(boxes[30:]) - boxes[-1]).max() < 0.03 * side


def test_who_leaves_and_returns_is_found_again(predictor: Predictor) -> None:
    frames = [frame.image for frame in open_clip(CLIP, stop=0.4)]
    noise = np.random.default_rng(0).normal(120, 5, frames[0].shape).clip(0, 255).astype(np.uint8)
    found = follow(predictor, [*frames, *[noise] * 3, *[frame[:, ::-1].copy() for frame in frames]])
    assert [box is not None for box in found] == [True] * 10 + [False] * 3 + [True] * 10
    width = frames[0].shape[1]
    assert overlap(found[0], (found[13] * [-1, 1, -1, 1] + [width, 0, width, 0])[[2, 1, 0, 3]]) > 0.8


def test_sixty_frames_of_moving_and_zooming(red: Counted) -> None:
    truth = [
        box_at(
            160 + 80 * np.sin(i / 6),
            120 + 20 * np.cos(i / 5),
            *(1 + 0.3 * np.sin(i / 9)) * np.array([50, 130]),
        )
        for i in range(60)
    ]
    boxes = follow(red, [red_frame(box) for box in truth])
    assert worst(boxes, truth) > 0.9 and red.searches == 1


def test_an_arm_stretched_out_at_once_is_not_cut_off(red: Counted) -> None:
    """From one frame to the next it reaches beyond the last crop."""
    truth = (
        [box_at(160, 120, 40, 100)] * 3 + [box_at(190, 120, 100, 100)] * 2 + [box_at(160, 120, 40, 100)] * 3
    )
    boxes = follow(red, [red_frame(box) for box in truth])
    assert worst(boxes, truth) > 0.9 and red.searches == 1
    # A frame is looked at twice only where the crop was too small.
    assert red.boxes <= len(truth) - 1 + 3


def test_leaving_over_the_edge(red: Counted) -> None:
    """The box ends with the frame; who is gone is None, and searched for in every frame until they return."""
    centres = [160, 200, 240, 270, 300, 330, 400, 400, 400, 20, 40, 60, 80]
    frames = [red_frame(box_at(x, 120, 60, 130)) for x in centres]
    boxes = follow(red, frames)
    gone = [box is None for box in boxes]
    # Of the sixth frame, with the last of an arm, anything may be said.
    assert gone[:5] == [False] * 5 and gone[6:] == [True] * 3 + [False] * 4
    there = np.stack([box for box in boxes if box is not None])
    assert there.min() >= 0 and there[:, 2].max() <= 320
    assert overlap(boxes[-1], box_at(80, 120, 60, 130)) > 0.9


def test_after_a_cut_the_person_is_searched_for(red: Counted) -> None:
    truth = [box_at(80, 120, 50, 120)] * 3 + [box_at(250, 140, 60, 140)] * 3
    assert worst(follow(red, [red_frame(box) for box in truth]), truth) > 0.9
    assert red.searches == 2


def test_a_given_box_is_taken_and_the_larger_neighbour_is_not(red: Counted) -> None:
    small, large = box_at(70, 150, 30, 80), box_at(230, 120, 80, 200)
    frames = []
    for index in range(10):
        frame = red_frame(moved(small, index))
        frame[20:220, 190:270] = (250, 20, 20)
        frames.append(frame)
    assert overlap(follow(red, frames)[-1], large) > 0.9
    assert overlap(follow(red, frames, box=small)[-1], moved(small, 9)) > 0.9
    with pytest.raises(BoxError, match="outside the photo"):
        Tracker(red, [400, 10, 450, 90]).follow(frames[0])


def test_a_box_carried_to_another_tracker_goes_on(red: Counted) -> None:
    """As a page does that keeps nothing but the box between two frames."""
    box, seen = None, []
    for index in range(6):
        tracker = Tracker(red, box)
        seen.append(tracker.follow(red_frame(box_at(100 + 8 * index, 120, 50, 120))).box)
        box = tracker.box
    assert red.searches == 1
    assert worst(seen, [box_at(100 + 8 * index, 120, 50, 120) for index in range(6)]) > 0.9


def test_who_is_searched_for_again_is_preferred(red: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    """One look fails; the person last followed is smaller than another one, and is chosen all the same."""
    small = box_at(70, 150, 40, 100)
    frame = red_frame(small)
    frame[20:220, 190:270] = (250, 20, 20)
    tracker = Tracker(red, small)
    tracker.follow(frame)
    look, failures = red.predict, [True]

    def fails_once(image: np.ndarray, box: np.ndarray | None = None):
        if box is not None and failures:
            failures.pop()
            raise NoPersonFoundError("for a moment")
        return look(image, box)

    monkeypatch.setattr(red, "predict", fails_once)
    assert overlap(tracker.follow(frame).box, small) > 0.9 and red.searches == 1


def test_overlap() -> None:
    one = np.array([0.0, 0, 2, 2])
    assert overlap(one, one) == 1 and overlap(one, one + 5) == 0
    assert overlap(one, moved(one, 1)) == pytest.approx(1 / 3)
