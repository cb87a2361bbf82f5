"""The module that huggingface_hub's mixin loads, saves and pushes."""

import shutil
from pathlib import Path

import pytest
import torch
from hub.hub_client import REPO
from hub.hub_server import HubServer
from huggingface_hub import PyTorchModelHubMixin

from hmnet.checkpoint import load_checkpoint, save_difference
from hmnet.config import ModelConfig
from hmnet.errors import CheckpointError, ImageError
from hmnet.look import look_at, part_logits, reconstruct
from hmnet.model import HMNet, HMNetOutput
from hmnet.pretrained import HumanMeshNet

IMAGE = torch.randn(1, 3, 128, 128, generator=torch.Generator().manual_seed(0))


def answers(network: HumanMeshNet) -> tuple[torch.Tensor, HMNetOutput]:
    with torch.inference_mode():
        return network(IMAGE)


def assert_same(network: HumanMeshNet, other: HumanMeshNet) -> None:
    for (name, value), (other_name, other_value) in zip(
        network.state_dict().items(), other.state_dict().items(), strict=True
    ):
        assert name == other_name and torch.equal(value, other_value)
    assert network.preprocessing == other.preprocessing and network.config == other.config


def assert_same_answers(network: HumanMeshNet, other: HumanMeshNet) -> None:
    (parts, output), (other_parts, other_output) = answers(network), answers(other)
    assert torch.equal(parts, other_parts)
    assert torch.equal(output.joints, other_output.joints)
    assert torch.equal(output.vertices, other_output.vertices)


@pytest.fixture
def network(checkpoint_folder: Path) -> HumanMeshNet:
    return HumanMeshNet.from_pretrained(checkpoint_folder)


def test_it_answers_as_the_checkpoint_does(network: HumanMeshNet, checkpoint_folder: Path) -> None:
    assert isinstance(network, PyTorchModelHubMixin) and not network.training
    checkpoint = load_checkpoint(checkpoint_folder)
    with torch.inference_mode():
        look = look_at(checkpoint.segmenter, IMAGE, mirror=False)
        parts = checkpoint.segmenter.label(part_logits(checkpoint.segmenter, look))
        output = reconstruct(checkpoint.model, look, parts)
    own_parts, own = answers(network)
    assert own_parts.shape == (1, 128, 128) and own_parts.dtype == torch.int64
    assert torch.equal(own_parts, parts) and torch.equal(own.vertices, output.vertices)


def test_crops_of_another_size_are_refused(network: HumanMeshNet) -> None:
    with pytest.raises(ImageError, match=r"\(B, 3, 128, 128\), got \(1, 3, 64, 64\)"):
        network(IMAGE[:, :, :64, :64])


def test_saved_and_loaded_it_answers_the_same(network: HumanMeshNet, tmp_path: Path) -> None:
    network.save_pretrained(tmp_path / "saved")
    again = HumanMeshNet.from_pretrained(tmp_path / "saved")
    assert_same(network, again)
    assert_same_answers(network, again)
    assert again.record == network.record and again.record["metrics"] == {"surface": 1.0}
    assert "abc1234" in (tmp_path / "saved" / "README.md").read_text()
    assert load_checkpoint(tmp_path / "saved").info.revision == "abc1234"


def test_weights_that_half_precision_would_round_stay(
    checkpoint_folder: Path, model: HMNet, tmp_path: Path
) -> None:
    shutil.copytree(checkpoint_folder, tmp_path / "hmnet")
    config = ModelConfig(variant="hmnet-oracle", feature_size=64)
    # Eight bits a weight and a scale: what they stand for is no half-precision number.
    torch.manual_seed(2)
    other = HumanMeshNet.from_pretrained(checkpoint_folder).model
    torch.nn.init.normal_(other.surface_branch[0].weight)
    save_difference(tmp_path / "hmnet-oracle", other, {}, model_config=config, base=tmp_path / "hmnet")
    network = HumanMeshNet.from_pretrained(tmp_path, variant="hmnet-oracle")
    weight = network.model.surface_branch[0].weight
    assert not torch.equal(weight.half().float(), weight)
    network.save_pretrained(tmp_path / "saved")
    assert_same(network, HumanMeshNet.from_pretrained(tmp_path / "saved"))


def test_pushed_and_loaded_it_answers_the_same(
    network: HumanMeshNet, hub: HubServer, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", hub.owner)
    commit = network.push_to_hub("somebody/module")
    again = HumanMeshNet.from_pretrained("somebody/module", revision=commit.oid, cache_dir=cache / "other")
    assert_same(network, again)
    assert_same_answers(network, again)
    assert (cache / "other" / "models--somebody--module").is_dir()


def test_from_the_hub_and_offline(hub: HubServer, network: HumanMeshNet) -> None:
    with pytest.raises(CheckpointError, match="holds no whole copy"):
        HumanMeshNet.from_pretrained(REPO, local_files_only=True)
    assert_same(network, HumanMeshNet.from_pretrained(REPO, variant="hmnet"))
    asked = len(hub.requests)
    assert_same(network, HumanMeshNet.from_pretrained(REPO, local_files_only=True))
    assert len(hub.requests) == asked
    hub.faults.gated = True
    with pytest.raises(CheckpointError, match="gated"):
        HumanMeshNet.from_pretrained(REPO, force_download=True)
    HumanMeshNet.from_pretrained(REPO, force_download=True, token=hub.reader)
    with pytest.raises(CheckpointError, match="Unknown variant 'tiny'"):
        HumanMeshNet.from_pretrained(REPO, variant="tiny")
