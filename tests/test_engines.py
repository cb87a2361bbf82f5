"""Every engine answers what the networks answer, for one crop and for several, and threads may share it."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from hmnet.checkpoint import Checkpoint, WeightsInfo, load_checkpoint
from hmnet.data.crop import normalise
from hmnet.engines import ENGINE_VARIABLE, Engine, OpenVinoEngine, TorchEngine, choose_engine
from hmnet.errors import HMNetError
from hmnet.keypoints import middle_keypoints
from hmnet.look import look_at, part_logits, reconstruct

AGREEMENT = 0.5
"""mm; the engines' float32 answers differ by a tenth of that on rendered people."""


@pytest.fixture(scope="module")
def checkpoint(model, segmenter, preprocessing) -> Checkpoint:
    return Checkpoint(model, segmenter, preprocessing, WeightsInfo("test", "hmnet", "0"))


@pytest.fixture(scope="module", params=["torch", "openvino"])
def engine(request, checkpoint) -> Engine:
    if request.param == "torch":
        return TorchEngine(checkpoint, torch.device("cpu"))
    return OpenVinoEngine(checkpoint, "f32")


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    """Five crops of smooth colours: of noise an untrained segmenter makes ties."""
    rng = np.random.default_rng(3)
    return rng.integers(0, 256, (5, 4, 4, 3), np.uint8).repeat(32, 1).repeat(32, 2)


def by_the_modules(checkpoint: Checkpoint, pictures: np.ndarray, mirror: bool):
    with torch.inference_mode():
        look = look_at(checkpoint.segmenter, normalise(pictures, checkpoint.preprocessing), mirror)
        labels = checkpoint.segmenter.label(part_logits(checkpoint.segmenter, look))
        return look, labels, reconstruct(checkpoint.model, look, labels)


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("count", [1, 3, 5])
def test_the_answers_are_those_of_the_modules(engine, checkpoint, pictures, count, mirror) -> None:
    look, labels, output = by_the_modules(checkpoint, pictures[:count], mirror)
    sight = engine.look(pictures[:count], mirror)
    assert sight.labels.shape == (count, 128, 128) and sight.labels.dtype == np.uint8
    assert (sight.labels == labels.numpy()).mean() > 0.999
    keypoints, heats, _ = middle_keypoints(look.features[-1][:count])
    np.testing.assert_allclose(sight.keypoints, keypoints.numpy(), atol=1e-3)
    np.testing.assert_allclose(sight.heats, heats.numpy(), atol=1e-4)
    assert len(sight.seen) == count * (1 + mirror)
    joints, vertices = engine.reconstruct(sight.seen, labels.numpy().astype(np.uint8))
    np.testing.assert_allclose(joints, output.joints.numpy(), atol=1e-4)
    np.testing.assert_allclose(vertices, output.vertices.numpy(), atol=1e-4)


def test_whole_photos_of_any_shape(engine, checkpoint) -> None:
    for height, width in ((64, 96), (160, 32)):
        picture = np.random.default_rng(height).integers(0, 256, (1, height, width, 3), np.uint8)
        with torch.inference_mode():
            image = normalise(picture, checkpoint.preprocessing)
            expected = checkpoint.segmenter.features(image)[-1].numpy()
        np.testing.assert_allclose(engine.dense(picture), expected, atol=1e-4)


def test_threads_get_the_answers_to_their_own_pictures(engine, pictures) -> None:
    alone = [engine.look(pictures[i : i + 1], True) for i in range(3)]
    with ThreadPoolExecutor(6) as threads:
        together = list(threads.map(lambda i: engine.look(pictures[i % 3 : i % 3 + 1], True), range(18)))
    for index, sight in enumerate(together):
        assert np.array_equal(sight.labels, alone[index % 3].labels)
        np.testing.assert_allclose(sight.seen, alone[index % 3].seen, atol=1e-5)


def test_the_engines_agree_on_people(shipped_people) -> None:
    """In float32: the largest difference of any vertex, on the shipped examples with the shipped weights."""
    checkpoint, crops = shipped_people
    engines = TorchEngine(checkpoint, torch.device("cpu")), OpenVinoEngine(checkpoint, "f32")
    meshes = []
    for engine in engines:
        sights = [engine.look(crop[None], True) for crop in crops]
        meshes.append(np.stack([engine.reconstruct(one.seen, one.labels)[1][0] for one in sights]))
    most = 1000 * np.linalg.norm(meshes[0] - meshes[1], axis=-1).max()
    assert most < AGREEMENT, f"the engines differ by {most:.2f} mm"


def test_the_fastest_is_chosen_unless_one_is_named(checkpoint, monkeypatch) -> None:
    monkeypatch.delenv(ENGINE_VARIABLE, raising=False)
    assert choose_engine(checkpoint, "cpu").name == "openvino"
    assert choose_engine(checkpoint, "cpu", "torch").words == "torch, cpu, float32"
    monkeypatch.setenv(ENGINE_VARIABLE, "torch")
    assert choose_engine(checkpoint, "cpu").name == "torch"
    assert choose_engine(checkpoint, "cpu", "openvino").name == "openvino"


def test_without_the_package_torch_answers_and_says_why(checkpoint, monkeypatch) -> None:
    monkeypatch.delenv(ENGINE_VARIABLE, raising=False)
    monkeypatch.setattr("hmnet.engines.openvino_engine.openvino", None)
    engine = choose_engine(checkpoint, "cpu")
    assert engine.name == "torch" and "OpenVINO is not installed" in engine.words
    with pytest.raises(HMNetError, match="not installed"):
        choose_engine(checkpoint, "cpu", "openvino")


def test_engines_that_are_not_there(checkpoint) -> None:
    with pytest.raises(HMNetError, match="choose one of torch, openvino"):
        choose_engine(checkpoint, "cpu", "steam")
    with pytest.raises(HMNetError, match="runs on the CPU"):
        choose_engine(checkpoint, "cuda", "openvino")


@pytest.fixture(scope="module")
def shipped_people():
    """The shipped weights and the crops of the shipped examples' people."""
    from demo.examples import load_examples
    from hmnet.data.crop import extract, square_crop
    from hmnet.image import read_image
    from hmnet.person_box import mask_box

    checkpoint = load_checkpoint()
    side = checkpoint.preprocessing.image_size
    crops = []
    for example in load_examples():
        crop = square_crop(mask_box(example.part_map > 0), checkpoint.preprocessing.crop_margin)
        crops.append(extract(read_image(example.photo), crop, side))
    return checkpoint, np.stack(crops)
