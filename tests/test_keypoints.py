"""Keypoints read off dense maps, and sightings."""

import torch
from red_segmenter import PLACES, RedFeatures

from hmnet.keypoints import (
    COUNT,
    LOOKS_SIZE,
    PLACES_SIZE,
    heats_and_centres,
    keypoints_of,
    middle_cells,
    sighting,
)
from hmnet.movenet import MoveNet

SIDE, MIDDLE = (8, 20, 40, 116), (64, 20, 112, 116)


def picture(*patches: tuple[int, int, int, int]) -> torch.Tensor:
    image = torch.full((1, 3, 128, 128), -0.1)
    for x0, y0, x1, y1 in patches:
        image[0, :, y0:y1, x0:x1] = torch.tensor([1.0, -1.0, -1.0])[:, None, None]
    return image


def test_the_person_in_the_middle_is_read() -> None:
    dense = RedFeatures().eval()(picture(SIDE, MIDDLE))[-1]
    cells = middle_cells(heats_and_centres(dense)[1])
    keypoints, heats, expected = keypoints_of(dense, cells)
    x0, y0, x1, y1 = MIDDLE
    truth = torch.tensor([x0, y0]) + torch.from_numpy(PLACES) * torch.tensor([x1 - x0, y1 - y0])
    assert (keypoints[0] - truth).abs().max() <= 4 and (expected[0] - truth).abs().max() <= 4
    assert (heats > 0.9).all()


def test_each_person_of_a_batch_is_read_as_alone() -> None:
    dense = RedFeatures().eval()(torch.cat([picture(MIDDLE), picture(SIDE)]))[-1]
    cells = middle_cells(heats_and_centres(dense)[1])
    for index, (points, heats, _) in enumerate(zip(*keypoints_of(dense, cells), strict=True)):
        alone = keypoints_of(dense[index : index + 1], cells[index : index + 1])
        assert torch.equal(alone[0][0], points) and torch.equal(alone[1][0], heats)


def test_heat_between_two_cells_is_a_place_between_them() -> None:
    dense = torch.full((1, MoveNet.dense_channels, 8, 8), -20.0)
    dense[0, 42:] = 0
    dense[0, 24, 4, 3:5] = 3.0
    keypoints, _, _ = keypoints_of(dense, torch.tensor([[4, 4]]))
    assert torch.allclose(keypoints[0, 0], torch.tensor([16.0, 18.0]), atol=0.01)


def test_a_sighting_holds_places_in_half_windows_and_what_is_seen_there() -> None:
    torch.manual_seed(0)
    features = MoveNet().eval()(torch.randn(2, 3, 64, 64))
    seen = sighting(features)
    assert seen.shape == (2, PLACES_SIZE + LOOKS_SIZE) and torch.isfinite(seen).all()
    cells = middle_cells(heats_and_centres(features[-1])[1])
    keypoints, heats, _ = keypoints_of(features[-1], cells)
    torch.testing.assert_close(seen[:, : 2 * COUNT].unflatten(1, (COUNT, 2)), keypoints / 32 - 1)
    torch.testing.assert_close(seen[:, 2 * COUNT : 3 * COUNT], heats)
    torch.testing.assert_close(seen[:, -1280:], features[3].mean((2, 3)))


def test_what_is_seen_is_taken_where_the_keypoint_is() -> None:
    features = [
        torch.zeros(1, c, 16 // s, 16 // s)
        for c, s in zip(MoveNet.pyramid_channels, (1, 2, 4, 8), strict=True)
    ]
    dense = torch.full((1, MoveNet.dense_channels, 16, 16), -20.0)
    dense[0, 42:] = 0
    dense[0, 24, 6, 10] = 10
    dense[0, 0], dense[0, 0, 6, 10] = 0, 5
    seen = sighting([*features, dense])
    # Of the pyramid's first channel at 17 keypoints, only the nose's own place shows the mark.
    first = seen[0, PLACES_SIZE + 96 * COUNT :][:COUNT]
    assert first[0] > 4.9 and (first[1:] < 1).all()
