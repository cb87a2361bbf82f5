"""Test pictures as the networks take them."""

import json

import numpy as np
import pytest
import torch

from hmnet.data import testset
from hmnet.data.crop import extract_labels, square_crop
from hmnet.errors import DataError
from hmnet.figures.seen import clear_example, look_at_samples, named_set, origin, read_samples


def test_samples_are_seen_in_their_own_crops(checkpoint, shards):
    samples = read_samples(shards, 3)
    assert len(samples) == 3
    with torch.inference_mode():
        (seen,) = look_at_samples(checkpoint, samples)
    size = checkpoint.preprocessing.image_size
    assert seen.look.image.shape == (6, 3, size, size) and seen.look.mirrored
    assert seen.labels.shape == (3, size, size)
    for sample, labels, vertices in zip(samples, seen.true_labels, seen.vertices, strict=True):
        crop = square_crop(sample.box, checkpoint.preprocessing.crop_margin)
        np.testing.assert_array_equal(labels, extract_labels(sample.part_map, crop, size))
        np.testing.assert_array_equal(vertices, sample.vertices)


def test_no_sample_is_said(shards):
    with pytest.raises(DataError, match=r"no sample to measure.*--limit"):
        read_samples(shards, 0)


def test_an_example_is_not_a_hard_one(shards):
    samples = read_samples(shards, None)
    assert samples[0].tags and clear_example(samples) is samples[1]
    assert clear_example(samples[:1]) is samples[0]


def test_where_numbers_come_from(checkpoint, shards):
    samples = read_samples(shards, 2)
    assert origin(checkpoint, shards, samples) == {
        "weights": {"variant": "hmnet", "revision": "abc1234"},
        "test set": "none of the fixed ones",
        "images": 2,
    }


def test_a_set_made_by_the_fixed_recipe_is_called_so(tmp_path, shards):
    (tmp_path / "00000.tar").write_bytes((shards / "00000.tar").read_bytes())
    assert named_set(tmp_path) == "none of the fixed ones"
    (tmp_path / "recipe.json").write_text(json.dumps({"seed": testset.SEED, "split": "test"}))
    assert named_set(tmp_path) == "the fixed sets' recipe, other checksums"
