"""Generation on several processes and machines: equal bytes whatever happened on the way."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("numba", reason="generation needs numba (requirements-dev.txt)")
pytest.importorskip("webdataset", reason="generation needs webdataset (requirements-dev.txt)")

from hmnet.data.shards import read_shards, shard_paths
from hmnet.data.synthetic import generate as module
from hmnet.data.synthetic.generate import Recipe, generate, shard_file
from hmnet.data.testset import shard_checksums
from hmnet.errors import DataError

RECIPE = Recipe(count=7, seed=3)


@pytest.fixture(scope="module", autouse=True)
def small_shards():
    """Shards of three pictures, made in this process: what is tested does not hang on size or processes."""

    class Here:
        def __init__(self, workers, start):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        imap_unordered = staticmethod(map)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SHARD_SIZE", 3)
        patch.setattr(module.multiprocessing, "get_context", lambda _: type("Context", (), {"Pool": Here}))
        yield


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    generate(RECIPE, folder, workers=1)
    return folder


def test_shards_hold_what_was_asked_for(whole):
    assert [p.name for p in shard_paths(whole)] == ["00000.tar", "00001.tar", "00002.tar"]
    samples = list(read_shards(shard_paths(whole)))
    assert len(samples) == 7 and all(sample.kind for sample in samples)
    assert len({sample.jpeg for sample in samples}) == 7


def test_a_killed_generator_resumes_to_equal_bytes(whole, tmp_path, monkeypatch):
    begun = 0
    photograph = module.photograph

    def killed(*arguments):
        nonlocal begun
        begun += shard_file(tmp_path, 0).exists()
        if begun > 1:
            raise KeyboardInterrupt
        return photograph(*arguments)

    monkeypatch.setattr(module, "photograph", killed)
    with pytest.raises(KeyboardInterrupt):
        generate(RECIPE, tmp_path, workers=1)
    assert [p.name for p in shard_paths(tmp_path)] == ["00000.tar"], "no half shard under its name"
    monkeypatch.setattr(module, "photograph", photograph)
    generate(RECIPE, tmp_path, workers=1)
    assert shard_checksums(tmp_path) == shard_checksums(whole)
    assert not list(tmp_path.glob("*.unfinished"))


def test_machines_that_share_a_recipe_make_its_shards(whole, tmp_path):
    for part in ((0, 2), (1, 2)):
        generate(RECIPE, tmp_path / str(part[0]), workers=1, part=part)
    together = shard_checksums(tmp_path / "0") | shard_checksums(tmp_path / "1")
    assert dict(sorted(together.items())) == shard_checksums(whole)


def test_another_seed_makes_other_pictures(whole, tmp_path):
    generate(replace(RECIPE, count=3, seed=4), tmp_path, workers=1)
    (one, *_), (two, *_) = (list(read_shards([shard_file(f, 0)])) for f in (whole, tmp_path))
    assert not np.array_equal(one.image, two.image)


def test_a_folder_keeps_to_its_recipe(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "copy")
    with pytest.raises(DataError, match="seed"):
        generate(replace(RECIPE, seed=4), tmp_path / "copy", workers=1)
    with pytest.raises(DataError, match="7 pictures"):
        generate(replace(RECIPE, count=9), tmp_path / "copy", workers=1)
    assert json.loads((tmp_path / "copy" / "recipe.json").read_text())["seed"] == 3


@pytest.mark.parametrize("option", ["backgrounds", "poses", "clothes"])
def test_a_missing_folder_is_named(option, tmp_path):
    value = ("nowhere",) if option == "poses" else "nowhere"
    with pytest.raises(DataError, match="nowhere is not a folder"):
        generate(replace(RECIPE, **{option: value}), tmp_path, workers=1)


def test_hands_are_repeatable_and_marked_as_hands(tmp_path):
    recipe = replace(RECIPE, count=3, body="hand")
    for name in ("one", "two"):
        generate(recipe, tmp_path / name, workers=1)
    assert shard_checksums(tmp_path / "one") == shard_checksums(tmp_path / "two")
    (sample, *_) = read_shards(shard_paths(tmp_path / "one"))
    assert sample.vertices.shape == (778, 3) and sample.joints.shape == (21, 3)
    assert json.loads((tmp_path / "one" / "recipe.json").read_text())["body"] == "hand"
    assert not (tmp_path / "one" / "poses.npz").exists()
    with pytest.raises(DataError, match="body"):
        generate(replace(recipe, body="anny"), tmp_path / "one", workers=1)


def test_what_does_not_go_with_hands_is_said(tmp_path):
    with pytest.raises(DataError, match="leave --poses and --clothes out"):
        generate(replace(RECIPE, body="hand", clothes=str(tmp_path)), tmp_path / "x", workers=1)
    with pytest.raises(DataError, match="Unknown body 'foot' to render: choose one of anny, hand"):
        generate(replace(RECIPE, body="foot"), tmp_path / "x", workers=1)


def test_a_recipe_of_before_there_were_hands_goes_on(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "copy")
    path = tmp_path / "copy" / "recipe.json"
    recipe = json.loads(path.read_text())
    del recipe["body"]
    path.write_text(json.dumps(recipe))
    (tmp_path / "copy" / "00001.tar").unlink()
    generate(RECIPE, tmp_path / "copy", workers=1)
    assert shard_checksums(tmp_path / "copy") == shard_checksums(whole)
