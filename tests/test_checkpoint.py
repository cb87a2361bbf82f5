"""Checkpoints on disk, whole and damaged (those of a Hub: `tests/hub`)."""

import hashlib
import json
import pickle
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest
import safetensors.torch
import torch
from safetensors.torch import save_file
from torch import nn

from hmnet import checkpoint as module
from hmnet.checkpoint import load_checkpoint, load_variant, save_checkpoint, save_difference
from hmnet.config import ModelConfig, Preprocessing, SegmenterConfig
from hmnet.errors import CheckpointError, OutputError
from hmnet.model import HMNet, build_hmnet
from hmnet.segmentation import PartSegmenter, build_segmenter
from hmnet.weights_file import from_eight_bits, in_eight_bits, read_weights, save_weights

PREPARED = asdict(Preprocessing())


@pytest.fixture
def damaged(checkpoint_folder: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(checkpoint_folder, tmp_path / "copy"))


def change(folder: Path, **entries: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def replace_weights(folder: Path, name: str, tensors: dict[str, torch.Tensor]) -> None:
    """Other weights with their right sum, so that only their contents can be found wrong."""
    data = safetensors.torch.save(tensors)
    (folder / name).write_bytes(data)
    sums = json.loads((folder / "config.json").read_text())["sha256"]
    change(folder, sha256=sums | {name: hashlib.sha256(data).hexdigest()})


@pytest.fixture
def with_variant(checkpoint_folder: Path, model: HMNet, tmp_path: Path) -> tuple[Path, HMNet]:
    """A folder with the base and a variant whose surface branch is another; and that variant."""
    root = tmp_path / "weights"
    shutil.copytree(checkpoint_folder, root / "hmnet")
    config = ModelConfig(variant="hmnet-unregularised", feature_size=64)
    variant = build_hmnet(config)
    variant.load_state_dict(model.state_dict())
    with torch.no_grad():
        for value in variant.parameters():
            # As they are when a training went on from the base's file.
            value.copy_(value.half().float() if value.ndim > 1 else value)
        for value in variant.surface_branch.parameters():
            value.add_(torch.randn(value.shape, generator=torch.Generator().manual_seed(0)) * 0.01)
    extra = {"revision": "def5678"}
    folder = root / "hmnet-unregularised"
    save_difference(folder, variant, extra, model_config=config, base=root / "hmnet")
    return root, variant


def test_a_variant_is_kept_as_what_differs_from_its_base(with_variant: tuple[Path, HMNet]) -> None:
    root, variant = with_variant
    stored = safetensors.torch.load_file(root / "hmnet-unregularised" / "hmnet.safetensors")
    assert {name.split(".")[0] for name in stored} == {"surface_branch"}
    # The scales are vectors of their own.
    assert {value.dtype for value in stored.values() if value.ndim > 1} == {torch.int8}
    alone = load_checkpoint(root / "hmnet-unregularised").model
    loaded = load_checkpoint(root, "hmnet-unregularised")
    assert all(torch.equal(v, alone.state_dict()[n]) for n, v in loaded.model.state_dict().items())
    assert (loaded.info.variant, loaded.info.revision) == ("hmnet-unregularised", "def5678")
    for name, value in variant.state_dict().items():
        # Half a step of 127 to the largest value of a row.
        step = value.flatten(1).abs().amax(1).max() / 127 if value.ndim > 1 else torch.tensor(0.0)
        assert (loaded.model.state_dict()[name] - value).abs().max() <= step / 2 + 1e-6, name


def test_a_variant_shares_with_its_base_what_it_does_not_change(with_variant: tuple[Path, HMNet]) -> None:
    root, _ = with_variant
    base = load_checkpoint(root)
    assert base.info.variant == "hmnet"
    network = load_variant(base, "hmnet-unregularised")
    assert network.part_encoder is base.model.part_encoder and network.rgb_encoder is base.model.rgb_encoder
    alone = load_checkpoint(root, "hmnet-unregularised").model
    for name, value in alone.state_dict().items():
        assert torch.equal(value, network.state_dict()[name]), name


def test_a_variant_without_its_base_is_told(with_variant: tuple[Path, HMNet]) -> None:
    root, _ = with_variant
    base = load_checkpoint(root)
    shutil.rmtree(root / "hmnet")
    with pytest.raises(CheckpointError, match="'hmnet'"):
        load_checkpoint(root, "hmnet-unregularised")
    with pytest.raises(CheckpointError, match="hmnet-unregularised"):
        load_variant(base, "hmnet-oracle")


def test_eight_bits_err_by_half_a_step_of_each_row_at_most() -> None:
    weights = {"a": torch.randn(5, 7, 3, 3), "b": torch.zeros(2, 3), "c": torch.randn(4)}
    weights["a"][2] *= 1000
    kept = from_eight_bits(in_eight_bits(weights))
    assert kept.keys() == weights.keys() and torch.equal(kept["c"], weights["c"])
    assert not kept["b"].any()
    step = weights["a"].flatten(1).abs().amax(1) / 127
    assert ((kept["a"] - weights["a"]).flatten(1).abs().amax(1) <= step * 0.501).all()
    with pytest.raises(CheckpointError, match="not finite"):
        in_eight_bits({"a": torch.full((2, 2), float("nan"))})


def test_save_and_load(
    checkpoint_folder: Path, model: HMNet, segmenter: PartSegmenter, preprocessing: Preprocessing
) -> None:
    loaded = load_checkpoint(checkpoint_folder)
    assert loaded.preprocessing == preprocessing
    assert (loaded.info.variant, loaded.info.revision, loaded.info.notice) == ("hmnet", "abc1234", "")
    assert loaded.info.source == str(checkpoint_folder)
    assert not loaded.model.training and not loaded.segmenter.training
    assert {p.dtype for p in loaded.model.parameters()} == {torch.float32}
    for ours, theirs in ((model, loaded.model), (segmenter, loaded.segmenter)):
        for key, value in ours.state_dict().items():
            kept = value.half().float() if value.is_floating_point() and value.ndim > 1 else value
            assert torch.equal(theirs.state_dict()[key], kept), key
    image = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        part_map = segmenter.label(segmenter(image))
        seen = model.rgb_encoder.see(image, segmenter.features(image))
        before, after = model(seen, part_map), loaded.model(seen, part_map)
    assert torch.allclose(before.vertices, after.vertices, atol=2e-3)
    assert torch.allclose(before.joints, after.joints, atol=2e-3)


def test_weights_are_stored_in_half_precision_without_the_body(checkpoint_folder: Path) -> None:
    tensors = safetensors.torch.load_file(checkpoint_folder / "hmnet.safetensors")
    assert {t.dtype for t in tensors.values() if t.ndim > 1} == {torch.float16}
    assert not any("body" in key for key in tensors)
    config = json.loads((checkpoint_folder / "config.json").read_text())
    assert config["format"] == 1 and config["metrics"] == {"surface": 1.0}
    data = (checkpoint_folder / "hmnet.safetensors").read_bytes()
    assert config["sha256"]["hmnet.safetensors"] == hashlib.sha256(data).hexdigest()
    assert sorted(p.name for p in checkpoint_folder.iterdir()) == [
        "config.json", "hmnet.safetensors", "segmenter.safetensors",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["config.json", "hmnet.safetensors", "segmenter.safetensors"])
def test_a_missing_file(name: str, damaged: Path) -> None:
    (damaged / name).unlink()
    with pytest.raises(CheckpointError, match=r"config\.json, hmnet\.safetensors and segmenter"):
        load_checkpoint(damaged)


@pytest.mark.parametrize("name", ["hmnet.safetensors", "segmenter.safetensors"])
def test_corrupt_weights(name: str, damaged: Path) -> None:
    data = bytearray((damaged / name).read_bytes())
    data[len(data) // 2] ^= 1
    (damaged / name).write_bytes(data)
    with pytest.raises(CheckpointError, match=f"{name} are corrupt"):
        load_checkpoint(damaged)


def test_scales_that_would_spread_the_weights(tmp_path: Path) -> None:
    # 8-bit weights of one row and as many scales as one likes became a matrix of both.
    save_file({"w": torch.ones(1, 1000, dtype=torch.int8), "w.scale": torch.ones(1000)}, tmp_path / "weights")
    with pytest.raises(CheckpointError, match="scales of the weights w do not fit"):
        read_weights(tmp_path / "weights")


def test_a_pickle_is_not_unpickled(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple:
            return Path.touch, (tmp_path / "executed",)

    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        (tmp_path / "hmnet.safetensors").write_bytes(pickle.dumps({"weight": Trap()}, protocol))
        with pytest.raises(CheckpointError, match=r"is a pickle|not a readable weights file"):
            read_weights(tmp_path / "hmnet.safetensors")
    assert not (tmp_path / "executed").exists()
    pickle.loads((tmp_path / "hmnet.safetensors").read_bytes())
    assert (tmp_path / "executed").exists(), "the trap would not have shown it"


def test_weights_that_are_no_weights(tmp_path: Path) -> None:
    (tmp_path / "weights").write_text("no weights")
    with pytest.raises(CheckpointError, match="not a readable weights file"):
        read_weights(tmp_path / "weights")


@pytest.mark.parametrize("change_tensors", ["missing", "unknown", "shape"])
def test_weights_that_do_not_fit(change_tensors: str, damaged: Path) -> None:
    tensors = safetensors.torch.load_file(damaged / "segmenter.safetensors")
    if change_tensors == "missing":
        del tensors["classifier.bias"]
    elif change_tensors == "unknown":
        tensors["classifier.bias2"] = torch.zeros(1)
    else:
        tensors["classifier.bias"] = torch.zeros(3)
    replace_weights(damaged, "segmenter.safetensors", tensors)
    with pytest.raises(CheckpointError, match=r"does not fit .* 1 weights .*classifier\.bias"):
        load_checkpoint(damaged)


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ({"format": 2}, "format 2: this version reads format 1"),
        ({"format": None}, "format None"),
        ({"variant": 3}, "names no variant"),
        ({"model": {}}, "expected 'model' with variant, body"),
        ({"segmenter": {"width": "64", "foreground_threshold": 0.5}}, r"segmenter\.width should be like 64"),
        ({"sha256": {}}, "lacks the files' SHA-256"),
        # Without a sum nothing was compared, and a list ended in an AttributeError.
        ({"sha256": {"hmnet.safetensors": None}}, "lacks the files' SHA-256"),
        ({"sha256": ["hmnet.safetensors"]}, "lacks the files' SHA-256"),
        # These were built, or tried to be: hundreds of gigabytes.
        ({"segmenter": {"width": 10**8, "foreground_threshold": 0.5}}, "width from 1 to 1024, got 100000000"),
        (
            {"segmenter": {"width": 64, "foreground_threshold": float("nan")}},
            "threshold from 0 to 1, got nan",
        ),
        ({"preprocessing": PREPARED | {"image_size": 10**7 * 32}}, "image_size from 32 to 1024"),
        ({"preprocessing": PREPARED | {"image_size": 100}}, "multiple of 32, got 100"),
        ({"preprocessing": PREPARED | {"std": [1, 1, 0]}}, "std as three numbers"),
        ({"preprocessing": PREPARED | {"mean": ["0", "0", "0"]}}, "mean as three numbers"),
        # A TypeError came through: a list is no name of a variant.
        ({"base": ["hmnet"]}, "names no variant"),
    ],
)
def test_configurations_that_do_not_fit(entries: dict, sentence: str, damaged: Path) -> None:
    change(damaged, **entries)
    with pytest.raises(CheckpointError, match=sentence):
        load_checkpoint(damaged)


def test_a_configuration_that_is_no_json(damaged: Path) -> None:
    # Python's stack ends where lists lie too deep, with an error of its own.
    for text in ("{", "[1]", "\x00", "[" * 100_000):
        (damaged / "config.json").write_text(text)
        with pytest.raises(CheckpointError, match=r"config\.json"):
            load_checkpoint(damaged)


def test_variants(damaged: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="Unknown variant 'tiny': choose one of hmnet"):
        load_checkpoint(damaged, variant="tiny")
    several = tmp_path / "several"
    shutil.copytree(damaged, several / "hmnet")
    shutil.copytree(damaged, several / "tiny")
    change(several / "tiny", variant="tiny", revision="tiny1")
    assert load_checkpoint(several).info.variant == "hmnet"
    assert load_checkpoint(several, variant="tiny").info.revision == "tiny1"
    with pytest.raises(CheckpointError, match="choose one of hmnet, tiny"):
        load_checkpoint(several, variant="huge")


def test_sources_that_do_not_exist(tmp_path: Path) -> None:
    # Of the last two, names that no folder can have, errors of Python's came through.
    for source in (tmp_path / "absent", "absent", "./a/b/c", "", "x" * 5000, "a\ud800"):
        with pytest.raises(CheckpointError):
            load_checkpoint(source)
    with pytest.raises(CheckpointError, match="holds no weights"):
        load_checkpoint(tmp_path)


def test_saving_where_nothing_can_be_saved(model: HMNet, segmenter: PartSegmenter, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        save_checkpoint(
            tmp_path / "file" / "folder",
            model,
            segmenter,
            Preprocessing(),
            {},
            model_config=ModelConfig(feature_size=64),
        )


def test_weights_that_are_not_finite_are_not_saved(tmp_path: Path) -> None:
    layer = nn.Linear(2, 2)
    with torch.no_grad():
        layer.weight[0, 0] = 1e6
    with pytest.raises(CheckpointError, match="weight are not finite"):
        save_weights(tmp_path / "weights", layer)
    assert not list(tmp_path.iterdir())


def test_the_embedded_weights_by_default(checkpoint_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HMNET_REPO", raising=False)
    monkeypatch.setattr(module, "EMBEDDED", checkpoint_folder)
    info = load_checkpoint().info
    assert (info.source, info.revision, info.notice) == ("embedded", "abc1234", "")


def test_hand_names_the_only_weights_of_a_hand(
    checkpoint_folder: Path, preprocessing, tmp_path: Path
) -> None:
    shutil.copytree(checkpoint_folder, tmp_path / "people")
    with pytest.raises(CheckpointError, match=r"There are no weights of hands in .*people: train them"):
        load_checkpoint(tmp_path / "people", "hand")
    torch.manual_seed(0)
    for name in ("hmnet-one", "hmnet-two"):
        config = ModelConfig(variant=name, body="hand", feature_size=8)
        segmenter = build_segmenter(SegmenterConfig(width=8), "hand")
        save_checkpoint(
            tmp_path / name, build_hmnet(config), segmenter, preprocessing, {}, model_config=config
        )
        if name == "hmnet-one":
            found = load_checkpoint(tmp_path, "hand")
            assert found.info.variant == name and found.model.body.name == "hand"
            assert load_checkpoint(tmp_path).model.body.name == "anny"
    with pytest.raises(CheckpointError, match=r"several weights of hands.*hmnet-one, hmnet-two"):
        load_checkpoint(tmp_path, "hand")
