"""Pushing to a Hub on this machine, and loading what was pushed."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from fault_log import record_fault
from hub.hub_client import use_hub
from hub.hub_server import HubServer
from huggingface_hub import HfApi, ModelCard

from hmnet.__main__ import main
from hmnet.checkpoint import load_checkpoint, save_difference
from hmnet.config import ModelConfig
from hmnet.errors import CheckpointError, UploadError
from hmnet.hub_card import repository_card
from hmnet.model import HMNet
from hmnet.push import push

TARGET = "somebody/pushed"


@pytest.fixture
def weights(checkpoint_folder: Path, model: HMNet, tmp_path: Path) -> Path:
    """A folder with two variants."""
    root = tmp_path / "weights"
    shutil.copytree(checkpoint_folder, root / "hmnet")
    config = ModelConfig(variant="hmnet-oracle", feature_size=64)
    extra = {"revision": "def5678", "metrics": {"surface": 2.5, "part mean IoU": 1.0}}
    save_difference(root / "hmnet-oracle", model, extra, model_config=config, base=root / "hmnet")
    return root


@pytest.fixture
def owner(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> HubServer:
    """The Hub, with its owner's token."""
    monkeypatch.setenv("HF_TOKEN", hub.owner)
    return hub


def refused(weights: Path, repo: str = TARGET) -> str:
    with pytest.raises(UploadError) as caught:
        push(weights, repo)
    return str(caught.value)


def test_what_was_pushed_is_loaded(owner: HubServer, weights: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["push", "--repo", TARGET, "--weights", str(weights), "--private"]) == 0
    repository = owner.repositories["model", TARGET]
    commit = repository.branches["main"]
    said = capsys.readouterr().out
    assert f"{owner.endpoint}/{TARGET}/commit/{commit}" in said
    assert f'load_checkpoint("{TARGET}@{commit}")' in said
    # In the words of huggingface_hub 2, or of 1.
    assert repository.settings.get("visibility") == "private" or repository.settings["private"] is True
    assert sorted(repository.commits[commit]) == [
        ".gitattributes", "README.md", "hmnet-oracle/config.json", "hmnet-oracle/hmnet.safetensors",
        "hmnet/config.json", "hmnet/hmnet.safetensors", "hmnet/segmenter.safetensors",
    ]  # fmt: skip
    for variant in ("hmnet", "hmnet-oracle"):
        there, here = load_checkpoint(f"{TARGET}@{commit}", variant), load_checkpoint(weights, variant)
        assert there.info.revision == commit and there.preprocessing == here.preprocessing
        for network in ("model", "segmenter"):
            pairs = zip(
                getattr(there, network).state_dict().items(),
                getattr(here, network).state_dict().items(),
                strict=True,
            )
            assert all(name == other and torch.equal(a, b) for (name, a), (other, b) in pairs)


def test_the_card_says_what_the_configurations_record(weights: Path) -> None:
    configs = {
        name: json.loads((weights / name / "config.json").read_text()) for name in ("hmnet", "hmnet-oracle")
    }
    card = ModelCard(repository_card(TARGET, configs))
    assert (card.data.license, card.data.pipeline_tag, card.data.library_name) == (
        "apache-2.0", "image-to-3d", "hmnet",
    )  # fmt: skip
    assert "human-mesh-recovery" in card.data.tags and "pytorch_model_hub_mixin" in card.data.tags
    results = card.content.split("---")[1]
    assert "HumanMeshNet, variant hmnet-oracle" in results and "value: 2.5" in results
    assert "| surface (mm) | 1 | 2.5 |" in card.text and "| part mean IoU |  | 1 |" in card.text
    assert f'load_checkpoint("{TARGET}")' in card.text
    assert "Kept as what differs from `hmnet`" in card.text and "Not recorded." in card.text
    assert "hand" not in card.content
    bare = repository_card(TARGET, {"hmnet": configs["hmnet"] | {"metrics": {}}})
    assert "model-index" not in bare and "Measured" not in bare


def test_hands_have_lines_and_a_table_of_their_own_in_the_card(weights: Path) -> None:
    person = json.loads((weights / "hmnet" / "config.json").read_text())
    hand = person | {"variant": "hand", "model": person["model"] | {"body": "hand"}}
    metrics = {
        "surface": 9.25,
        "F@5": 0.75,
        "AUC, each joint": 0.8,
        "normal deviation": 5.0,
        "roughness": 0.5,
    }
    content = repository_card(TARGET, {"hmnet": person, "hand": hand | {"metrics": metrics}})
    card = ModelCard(content)
    assert {"human-mesh-recovery", "hand-mesh-recovery"} <= set(card.data.tags)
    assert "rendered-hands" in content and "HumanMeshNet's test set (rendered hands)" in content
    people, hands = (part.split("\n## ")[0] for part in card.text.split("## Measured")[1:])
    assert "| surface (mm) | 1 |" in people and "On the test set, by" in people and "F@" not in people
    assert "| surface (mm) | 9.25 |" in hands and "On the test set of hands, by" in hands
    assert "| F@5 | 0.75 |" in hands and "| AUC, each joint | 0.8 |" in hands
    assert "| normal deviation (degrees) | 5 |" in hands and "| roughness (mm) | 0.5 |" in hands
    assert (
        f'load_checkpoint("{TARGET}", "hand")' in card.text
        and "- `hand` (revision abc1234): Of hands." in card.text
    )
    assert "## Limits\n" in card.text and "## Limits of hands\n" in card.text
    alone = ModelCard(repository_card(TARGET, {"hand": hand}))
    assert "human-mesh-recovery" not in alone.data.tags and "## Limits\n" not in alone.text


def test_a_branch_is_made_and_leaves_main_alone(
    owner: HubServer, checkpoint_folder: Path, tmp_path: Path
) -> None:
    weights = shutil.copytree(checkpoint_folder, tmp_path / "alone")
    push(weights, TARGET)
    repository = owner.repositories["model", TARGET]
    main_before = repository.branches["main"]
    config = weights / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"revision": "later"}))
    commit = push(weights, TARGET, branch="trial")
    assert repository.branches == {"main": main_before, "trial": commit.oid}
    assert load_checkpoint(f"{TARGET}@trial").info.revision == commit.oid
    assert load_checkpoint(TARGET).info.revision == main_before


def test_nothing_is_sent_of_weights_that_do_not_load(owner: HubServer, weights: Path) -> None:
    path = weights / "hmnet-oracle" / "hmnet.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(CheckpointError, match="are corrupt"):
        push(weights, TARGET)
    assert owner.requests == []
    path.write_bytes(whole)
    shutil.move(weights / "hmnet-oracle", weights.parent / "alone")
    (weights.parent / "hmnet").symlink_to(weights / "hmnet")
    assert "push the folder that holds both" in refused(weights.parent / "alone")
    assert owner.requests == []


def test_without_a_token_with_a_wrong_one_and_without_the_right(
    hub: HubServer, checkpoint_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = checkpoint_folder
    sentences = {"no token": refused(weights)}
    assert sentences["no token"].startswith("Pushing needs a token that may write: log in")
    monkeypatch.setenv("HF_TOKEN", "hf_unknown")
    sentences["unknown token"] = refused(weights)
    assert sentences["unknown token"].startswith("The Hugging Face Hub does not know the token")
    monkeypatch.setenv("HF_TOKEN", hub.reader)
    sentences["read-only token"] = refused(weights)
    assert sentences["read-only token"].startswith(f"The token may not write to {TARGET}")
    assert ("model", TARGET) not in hub.repositories
    monkeypatch.setenv("HF_TOKEN", hub.owner)
    sentences["another's repository"] = refused(weights, "someone-else/weights")
    assert "may not write to someone-else/weights" in sentences["another's repository"]
    works = push(weights, TARGET).oid == hub.repositories["model", TARGET].branches["main"]
    for what, sentence in sentences.items():
        record_fault(f"push: {what}", "pushed a checkpoint", sentence, works)


def test_pushing_while_the_hub_is_down(
    owner: HubServer, checkpoint_folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner.stop()
    sentence = refused(checkpoint_folder)
    assert sentence.startswith(f"{TARGET} could not be pushed to {owner.endpoint}")
    server = HubServer()
    use_hub(server.endpoint, cache, monkeypatch, token=server.owner)
    record_fault(
        "push: server down", "pushed a checkpoint", sentence, bool(push(checkpoint_folder, TARGET).oid)
    )
    server.stop()


def test_a_repository_is_named_without_its_revision(owner: HubServer, weights: Path) -> None:
    for repo in ("pushed", "somebody/pushed@main", "a/b/c"):
        assert "Expected a repository as user/name" in refused(weights, repo)
    assert owner.requests == []


def test_the_local_hub_takes_spaces(owner: HubServer, tmp_path: Path) -> None:
    (tmp_path / "space").mkdir()
    (tmp_path / "space" / "app.py").write_text("print(1)\n")
    api = HfApi()
    url = api.create_repo("somebody/demo", repo_type="space", space_sdk="gradio", exist_ok=True)
    assert url == f"{owner.endpoint}/spaces/somebody/demo"
    commit = api.upload_folder(repo_id="somebody/demo", repo_type="space", folder_path=tmp_path / "space")
    api.add_space_variable("somebody/demo", "HMNET_REPO", "somebody/weights")
    space = owner.repositories["space", "somebody/demo"]
    assert space.commits[commit.oid]["app.py"] == b"print(1)\n"
    assert space.settings["sdk"] == "gradio"
    assert space.settings["variables"]["HMNET_REPO"]["value"] == "somebody/weights"
