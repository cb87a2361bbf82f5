"""What is timed is what the page computes, in every runtime the same."""

import numpy as np
import pytest
import torch

from hmnet.checkpoint import load_checkpoint
from hmnet.engines import TorchEngine
from hmnet.mesh import MeshTopology, neighbour_average
from hmnet.speed.contestants import CONTESTANTS, RingAverage, WholeHmnet, built
from hmnet.speed.memory import peak_memory
from hmnet.speed.networks import operations
from hmnet.speed.runtimes import prepared, runtimes

AGREEMENT = 5e-4
"""m; half a millimetre."""


@pytest.fixture(scope="module")
def checkpoint():
    return load_checkpoint()


@pytest.mark.parametrize("mirror", [False, True])
def test_the_whole_network_answers_as_the_engine_does(checkpoint, mirror):
    (pictures,) = CONTESTANTS["hmnet-192"].inputs(1)
    engine, body = TorchEngine(checkpoint, torch.device("cpu")), checkpoint.model.body
    sight = engine.look(pictures, mirror)
    _, raw = engine.reconstruct(sight.seen, sight.labels)
    matrix = MeshTopology.from_faces(body.faces, len(body.vertices)).neighbour_matrix
    expected = neighbour_average(torch.from_numpy(raw), matrix)
    with torch.inference_mode():
        answer = WholeHmnet(checkpoint, mirror).eval()(torch.from_numpy(pictures))
    torch.testing.assert_close(answer, expected, atol=1e-5, rtol=0)


def test_eq_3_as_a_gather_is_eq_3():
    faces = torch.tensor([[0, 1, 2], [0, 2, 3], [0, 3, 1], [1, 3, 2], [0, 1, 4], [1, 2, 4]])
    topology = MeshTopology.from_faces(faces, 5)
    vertices = torch.randn(2, 5, 3)
    expected = neighbour_average(vertices, topology.neighbour_matrix)
    torch.testing.assert_close(RingAverage(topology)(vertices), expected)


def test_runtimes_agree(checkpoint):
    module = built(CONTESTANTS["hmnet-192"])
    inputs = CONTESTANTS["hmnet-192"].inputs(1)
    expected = prepared(module, inputs, "torch")().numpy()
    assert runtimes()[:2] == ("torch", "openvino-f32")
    (answer,) = prepared(module, inputs, "openvino-f32")()
    assert np.linalg.norm(answer - expected, axis=-1).max() < AGREEMENT


def test_inputs_are_pictures_and_part_ids():
    contestant = CONTESTANTS["paper"]
    pictures, parts = contestant.inputs(3)
    assert pictures.shape == (3, 224, 224, 3) and pictures.dtype == np.uint8
    assert parts.shape == (3, 224, 224) and parts.max() <= 24
    assert not np.array_equal(pictures[0], pictures[1])


def test_operations_count_two_a_multiply_add():
    class Product(torch.nn.Module):
        def forward(self, pictures):
            rows = pictures.float().flatten(1)
            return rows @ torch.ones(rows.shape[1], 7)

    inputs = 224 * 224 * 3
    assert operations(Product(), CONTESTANTS["hmr"]) == pytest.approx(2 * inputs * 7 / 1e9)


def test_the_full_template_is_full():
    model = built(CONTESTANTS["paper-full"]).model
    assert len(model.body.vertices) == 13_718 and model.surface_branch[4].out_features == 3 * 13_718


def test_memory_is_what_the_network_adds():
    """In a process of its own, whatever this one holds: HMNet's 33 million float32 weights are 131 MB."""
    held = np.ones(40 * 2**20)
    assert 100 < peak_memory("hmnet-192", "torch", 1) < 600 and held[0] == 1
