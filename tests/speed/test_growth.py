"""How cost grows: smaller templates are meshes, crowds are found in their boxes, users are all served."""

import time

import numpy as np
import pytest
from PIL import Image

from hmnet.checkpoint import load_checkpoint
from hmnet.predictor import Predictor
from hmnet.speed.growth import _crowd, _topology, _waits, _with_template, by_people, by_users
from hmnet.speed.pipeline import BOX, photo


@pytest.fixture(scope="module")
def predictor():
    return Predictor(load_checkpoint(), "cpu")


@pytest.mark.parametrize("count", [369, 615, 1229, 13718])
def test_templates_of_all_sizes(predictor, count):
    topology = _topology(count)
    assert topology.vertex_count == count and int(topology.faces.max()) == count - 1
    network = _with_template(predictor.checkpoint, count)
    assert network.pose.model.surface_branch[4].out_features == 3 * count


def test_the_photo_shows_somebody_in_the_box(predictor):
    prediction = predictor.predict(photo(), BOX)
    x0, y0, x1, y1 = (int(edge) for edge in BOX)
    assert (prediction.part_map[y0:y1, x0:x1] > 0).mean() > 0.1


def test_a_crowd_is_as_many_people_in_boxes_of_their_own(predictor):
    picture, boxes = _crowd(6)
    assert picture.shape == (640, 960, 3) and boxes.shape == (6, 4)
    assert len(predictor.predict_people(picture, boxes)) == 6
    shown = Image.fromarray(picture)
    patches = [np.asarray(shown.crop(box)) for box in boxes]
    assert all(np.array_equal(patch, patches[0]) for patch in patches)


def test_people_at_once_and_users_in_turn(predictor):
    grown = by_people(predictor, 1, (1, 2))
    assert set(grown) == {1, 2} and set(grown[2]) == {"batched", "one by one"}
    served = by_users(predictor, 0.5, (1, 3))
    assert all(served[users]["p95"] >= served[users]["median"] > 0 for users in (1, 3))
    assert served[1]["a second"] > 0


def test_three_in_a_queue_wait_longer_than_one_alone():
    # What is asked for sleeps, so that a busy machine does not change how long it takes.
    alone, queued = (np.median(_waits(lambda: time.sleep(0.05), users, 0.6)) for users in (1, 3))
    assert queued > 1.5 * alone
