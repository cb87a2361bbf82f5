"""The palm detector's form, its shipped weights and what they find, as the original runtime has it."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from hmnet.bake_palm import read_weights
from hmnet.errors import CheckpointError
from hmnet.palmnet import ASSET, CONFIG, anchors, find_palms, load_palm_detector, read_palm_detector

RECORDED = load_file(Path(__file__).parent / "palm_recorded.safetensors")
PICTURE = RECORDED["picture"].numpy()


def test_outputs_are_those_of_the_original_runtime():
    """Recorded with OpenVINO 2026 in float32 from palm_detection_full.tflite; of the places every 16th."""
    image = RECORDED["picture"].permute(2, 0, 1)[None].float() / 255
    logits, places = load_palm_detector()(image)
    assert logits.shape == (1, 2016) and places.shape == (1, 2016, 18)
    assert (logits[0] - RECORDED["logits"]).abs().max() < 1e-3
    assert (places[0, ::16] - RECORDED["places"]).abs().max() < 1e-3


def test_anchors_are_the_middles_of_cells_in_the_order_of_the_outputs():
    start = anchors(192, 192)
    assert start.shape == (2016, 2)
    assert start[:3].tolist() == [[4, 4], [4, 4], [12, 4]]
    assert start[24 * 24 * 2 - 1].tolist() == [188, 188]
    assert start[24 * 24 * 2 + 5 : 24 * 24 * 2 + 7].tolist() == [[8, 8], [24, 8]]
    for height, width in ((64, 96), (128, 32)):
        logits, _ = load_palm_detector()(torch.zeros(1, 3, height, width))
        assert anchors(height, width).shape == (logits.shape[1], 2)
        assert anchors(height, width).max(0).tolist() == [width - 4, height - 4]


def test_the_palm_lies_on_the_hand():
    palms = find_palms(load_palm_detector(), PICTURE[None], 0.5)[0]
    best = int(palms.likenesses.argmax())
    x0, y0, x1, y1 = RECORDED["box"].tolist()
    assert (palms.keypoints[best] > [x0 - 5, y0 - 5]).all() and (
        palms.keypoints[best] < [x1 + 5, y1 + 5]
    ).all()
    assert (palms.boxes[best, :2] < palms.keypoints[best].mean(0)).all()
    assert (palms.boxes[best, 2:] > palms.keypoints[best].mean(0)).all()
    towards = palms.keypoints[best, 2] - palms.keypoints[best, 0]
    truth = RECORDED["knuckle"].double().numpy()
    assert towards @ truth > 0.9 * np.linalg.norm(towards) * np.linalg.norm(truth)


def test_batched_equals_one_by_one():
    pictures = np.stack([PICTURE, PICTURE[:, ::-1], np.zeros_like(PICTURE)])
    together = find_palms(load_palm_detector(), pictures, 0.3)
    assert len(together[0].likenesses) and len(together[1].likenesses)
    for picture, palms in zip(pictures, together, strict=True):
        alone = find_palms(load_palm_detector(), picture[None], 0.3)[0]
        np.testing.assert_allclose(alone.likenesses, palms.likenesses, atol=1e-5)
        np.testing.assert_allclose(alone.boxes, palms.boxes, atol=1e-3)
        np.testing.assert_allclose(alone.keypoints, palms.keypoints, atol=1e-3)


def test_damaged_weights_are_refused_in_a_sentence(tmp_path):
    path = tmp_path / ASSET.name
    with pytest.raises(CheckpointError, match=r"config\.json does not say.*restore assets/hands"):
        read_palm_detector(path)
    shutil.copy(ASSET.with_name(CONFIG), tmp_path)
    with pytest.raises(CheckpointError, match="is missing: restore assets/hands"):
        read_palm_detector(path)
    data = bytearray(ASSET.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match="SHA-256"):
        read_palm_detector(path)
    path.write_bytes(ASSET.read_bytes())
    assert not any(parameter.requires_grad for parameter in read_palm_detector(path).parameters())


def test_the_description_names_source_and_licence():
    about = json.loads(ASSET.with_name(CONFIG).read_text())[ASSET.stem]
    assert about["licence"] == "Apache-2.0" and "mediapipe" in about["source"]


def test_another_file_than_the_detector_s_is_not_baked(tmp_path):
    (tmp_path / "other.tflite").write_bytes(b"no network")
    with pytest.raises(CheckpointError, match=r"give palm_detection_full\.tflite"):
        read_weights(tmp_path / "other.tflite")
