"""A prediction carries its template, which goes through pickling by its name and side."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

from hmnet.body import load_body
from hmnet.body.hand import sided_template
from hmnet.checkpoint import WeightsInfo
from hmnet.data.crop import Crop
from hmnet.errors import BodyError
from hmnet.person_box import Candidate
from hmnet.prediction import Prediction


@pytest.fixture
def prediction() -> Prediction:
    some, points = np.zeros((4, 4), np.uint8), np.zeros((2, 3))
    return Prediction(
        image=np.zeros((4, 4, 3), np.uint8), photo_size=(4, 4), box=np.arange(4.0), crop=Crop((0, 0, 4, 4)),
        part_map=some, labels=some, joints=points, regressed_joints=points, raw_vertices=points,
        vertices=points, camera=np.ones(3), named_joints={}, keypoints_2d={},
        person=Candidate(np.zeros((17, 2)), np.ones(17)), seen=np.zeros((1, 3)), timings={"read": 1.0},
        weights=WeightsInfo("test", "hmnet", "0"),
    )  # fmt: skip


def test_a_person_has_the_default_body_and_no_side(prediction: Prediction) -> None:
    assert prediction.body is load_body() and prediction.body_name == "anny" and prediction.side is None


@pytest.mark.parametrize(("name", "side"), [("anny", None), ("hand", "left"), ("hand", "right")])
def test_the_template_is_pickled_by_name(prediction: Prediction, name: str, side: str | None) -> None:
    one = replace(prediction, body=sided_template(name, side), side=side)
    data = pickle.dumps(one)
    assert len(data) < 3000
    again = pickle.loads(data)
    assert again.body is one.body and again.side == side and again.timings == {"read": 1.0}
    assert again.crop == one.crop and np.array_equal(again.box, one.box)


def test_a_left_hand_is_the_right_one_in_a_mirror_inside_in() -> None:
    right, left = load_body("hand"), sided_template("hand", "left")
    assert sided_template("hand", "right") is right and sided_template("hand", "left") is left
    torch.testing.assert_close(left.vertices, right.vertices * torch.tensor([-1.0, 1.0, 1.0]))
    assert torch.equal(left.vertex_parts, right.vertex_parts) and left.name == "hand"

    def volume(body) -> float:
        """Signed: what faces turned inside out would make negative."""
        return float(torch.linalg.det(body.upsample(body.vertices)[body.full_faces]).sum())

    assert volume(left) == pytest.approx(volume(right), rel=1e-4) and volume(left) != 0
    with pytest.raises(BodyError, match="Unknown body"):
        sided_template("foot", "left")
