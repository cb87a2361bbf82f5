"""Errors on the paper's datasets: exact cases, what is compared with what, what is missing told."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from dataset_files import use_fake_smpl, write_clip, write_human36m

from hmnet import set_errors
from hmnet.__main__ import main
from hmnet.body import BodyTemplate, load_body
from hmnet.checkpoint import Checkpoint, WeightsInfo
from hmnet.config import Preprocessing
from hmnet.data.dataset_sample import SMPL_JOINTS, DatasetSample
from hmnet.data.human36m import JOINTS
from hmnet.errors import DataError
from hmnet.mesh import MeshTopology, neighbour_average
from hmnet.model import HMNetOutput


@pytest.fixture(scope="module")
def smpl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BodyTemplate]:
    """SMPL's full template, of a body of our own."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        use_fake_smpl(tmp_path_factory.mktemp("bodies"), monkeypatch)
        yield load_body("smpl")


class Still(torch.nn.Module):
    """A network that always answers with its template."""

    def __init__(self, body: BodyTemplate):
        super().__init__()
        self.body, self.part_maps = body, []

    @property
    def rgb_encoder(self) -> "Still":
        return self

    def see(self, image: torch.Tensor, features: list[torch.Tensor]) -> torch.Tensor:
        return image

    def forward(self, seen: torch.Tensor, part_map: torch.Tensor) -> HMNetOutput:
        self.part_maps.append(part_map)
        return HMNetOutput(torch.zeros(len(seen), 24, 3), self.body.vertices.expand(len(seen), -1, -1))


class AllTorso(torch.nn.Module):
    """A segmenter that sees a torso everywhere."""

    def features(self, image: torch.Tensor) -> list[torch.Tensor]:
        return [image]

    def decode(self, features: list[torch.Tensor]) -> torch.Tensor:
        logits = torch.zeros(len(features[0]), 25, *features[0].shape[-2:])
        logits[:, 2] = 9
        return logits

    def enlarge(self, logits: torch.Tensor) -> torch.Tensor:
        return logits

    def label(self, logits: torch.Tensor) -> torch.Tensor:
        return logits.argmax(1)


def checkpoint_of(body: BodyTemplate) -> Checkpoint:
    return Checkpoint(Still(body), AllTorso(), Preprocessing(64), WeightsInfo("test", "hmnet", "0"))


def sample_of(body: BodyTemplate, offset: tuple[float, float, float], action: str = "") -> DatasetSample:
    """The averaged template itself, moved aside."""
    topology = MeshTopology.from_faces(body.faces, len(body.vertices))
    mesh = neighbour_average(body.vertices, topology.neighbour_matrix)
    joints = body.regress_joints(mesh).numpy() + np.float32(offset)
    vertices = mesh.numpy() + np.float32(offset)
    part_map = np.full((80, 80), 5, np.uint8)
    return DatasetSample(
        np.zeros((80, 80, 3), np.uint8), np.array([10, 10, 60, 70.0]), vertices, joints, part_map, "", action
    )


def errors_of(body: BodyTemplate, samples: list[DatasetSample], **wanted) -> tuple[dict, list[str], Still]:
    checkpoint = checkpoint_of(body)
    places, joints_of, _ = set_errors.joints_compared(SMPL_JOINTS, body, Path("nowhere"))
    errors, actions = set_errors.set_errors(
        checkpoint, samples, range(len(samples)), places, joints_of, mirror=False, **wanted
    )
    return errors, actions, checkpoint.model


def test_a_body_moved_aside_is_wrong_by_just_that(smpl: BodyTemplate) -> None:
    samples = [sample_of(smpl, (0.03, 0, 0.04), "Walking"), sample_of(smpl, (0, 0, 0), "Eating")]
    errors, actions, _ = errors_of(smpl, samples)
    assert actions == ["Walking", "Eating"]
    for name in ("surface", "full surface", "joint"):
        np.testing.assert_allclose(errors[name], [50, 0], atol=1e-3)
    for name in ("PA surface", "PA joint"):
        np.testing.assert_allclose(errors[name], [0, 0], atol=0.01)


def test_the_part_map_is_the_segmenters_or_the_true_one(smpl: BodyTemplate) -> None:
    samples = [sample_of(smpl, (0, 0, 0))]
    assert (errors_of(smpl, samples)[2].part_maps[0] == 2).all()
    assert (errors_of(smpl, samples, true_parts=True)[2].part_maps[0] == 5).all()


def test_nothing_chosen_is_told(smpl: BodyTemplate) -> None:
    with pytest.raises(DataError, match="no sample to evaluate"):
        errors_of(smpl, [])


def test_human36m_is_measured_by_its_own_regressor_where_that_is(smpl: BodyTemplate, tmp_path: Path) -> None:
    places, joints_of, which = set_errors.joints_compared(JOINTS, smpl, tmp_path)
    assert len(places) == 14 and JOINTS[places[0]] == "pelvis" and "pelvis" in which
    mesh = smpl.vertices[None]
    assert torch.allclose(joints_of(mesh)[0, 0], smpl.regress_joints(mesh)[0, 0])
    matrix = np.zeros((17, 6890))
    matrix[np.arange(17), np.arange(17) * 7] = 1
    np.save(tmp_path / set_errors.REGRESSOR, matrix)
    places, joints_of, which = set_errors.joints_compared(JOINTS, smpl, tmp_path)
    assert len(places) == 14 and "head_top" in which
    assert {JOINTS[n] for n in range(17)} - {JOINTS[n] for n in places} == {"pelvis", "spine", "jaw"}
    assert torch.allclose(joints_of(mesh)[0], mesh[0, [7 * n for n in places]])
    # Another body's surface is not what the regressor is for.
    assert set_errors.joints_compared(JOINTS, load_body(), tmp_path)[0][0] == 0
    np.save(tmp_path / set_errors.REGRESSOR, matrix[:, :100])
    with pytest.raises(DataError, match=r"expected a matrix \(17, 6890\), got \(17, 100\)"):
        set_errors.joints_compared(JOINTS, smpl, tmp_path)


def test_actions_are_told_apart() -> None:
    errors = {"joint": np.array([10.0, 20, 60]), "PA joint": np.array([1.0, 2, 3])}
    lines = list(set_errors.error_lines(errors, ["Walking", "Eating", "Walking"]))
    assert lines[0].startswith("3 images") and lines[1].split()[:2] == ["joint", "30.0"]
    assert lines[-2].split() == ["Eating", "1", "20.0", "2.0"]
    assert lines[-1].split() == ["Walking", "2", "35.0", "2.0"]
    assert len(list(set_errors.error_lines(errors, ["", "", ""]))) == 3


def test_anny_weights_are_scored_on_joints_alone(
    checkpoint_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_clip(tmp_path, frames=11, video=False)
    given = ["evaluate", "--data", "surreal", "--root", str(tmp_path), "--weights", str(checkpoint_folder)]
    assert main(given) == 0
    shown = capsys.readouterr().out
    assert "surface: not compared, since the network's body is anny" in shown
    assert "joints compared: 24, all of the body's" in shown and "3 images" in shown
    assert "\nPA joint" in shown and "\nsurface " not in shown


def test_human36m_prints_its_actions(
    checkpoint_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_human36m(tmp_path, joints=17, poses=False)
    given = ["evaluate", "--data", "human36m", "--root", str(tmp_path), "--weights", str(checkpoint_folder)]
    assert main(given) == 0
    shown = capsys.readouterr().out
    assert "Protocol 2" in shown and "joints compared: 14, pelvis" in shown
    assert "\nPosing" in shown and "\nSitting" in shown


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["--data", "surreal"], "--data surreal needs --root DIR, the folder of SURREAL"),
        (["--data", "surreal", "--root", "nowhere"], "There is no folder nowhere"),
        (["--data", "up3d", "--root", ".", "--split", "dev"], "UP-3D has no split 'dev'"),
        (["--data", "up3d", "--root", ".", "--record"], "--record is for a rendered test set"),
    ],
)
def test_what_is_missing_is_told(
    given: list[str], sentence: str, checkpoint_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", *given, "--weights", str(checkpoint_folder)]) == 2
    assert sentence in capsys.readouterr().err


def test_a_folder_of_a_sets_name_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("surreal").mkdir()
    assert not set_errors.names_set(Path("surreal"), None)
    assert set_errors.names_set(Path("surreal"), Path("root"))
    assert not set_errors.names_set(Path("data/test"), None)


def test_smpl_weights_need_smpl(smpl: BodyTemplate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Surfaces come from the user's files: without them one sentence says which."""
    write_clip(tmp_path, frames=6, video=False)
    monkeypatch.delenv("HMNET_BODIES")
    samples = set_errors.open_dataset("surreal", tmp_path)
    with pytest.raises(ValueError, match=r"SMPL's male body is licensed .* HMNET_BODIES"):
        samples[0]
