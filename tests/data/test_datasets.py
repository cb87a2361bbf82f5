"""The registry of datasets: the paper's presets, and one sentence for a wrong name, split or folder."""

from pathlib import Path

import pytest
from dataset_files import H36M_NAMES, write_human36m

from hmnet.data.dataset_sample import SMPL_JOINTS
from hmnet.data.datasets import DATASETS, open_dataset, shared_joints
from hmnet.data.human36m import JOINTS
from hmnet.errors import DataError


def test_the_papers_presets() -> None:
    papers = {name: info for name, info in DATASETS.items() if info.table is not None}
    assert {name: (info.preset.batch, info.preset.rate) for name, info in papers.items()} == {
        "surreal": (64, 1e-4), "up3d": (16, 1e-4), "human36m": (64, 1e-4),
    }  # fmt: skip
    assert [info.table for info in papers.values()] == [1, 2, 3]
    assert {info.body for info in papers.values()} == {"SMPL"}
    for info in DATASETS.values():
        assert info.splits[0] == "train" and info.measured in info.splits
        assert info.protocols.keys() == set(info.splits[1:])


def test_wrong_names_and_folders_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"Unknown dataset 'coco': .* surreal, up3d, human36m, freihand"):
        open_dataset("coco", tmp_path)
    with pytest.raises(DataError, match="UP-3D has no split 'dev': choose one of train, val, test"):
        open_dataset("up3d", tmp_path, "dev")
    with pytest.raises(
        DataError, match=r"There is no folder .*nowhere: give the folder of SURREAL as --root"
    ):
        open_dataset("surreal", tmp_path / "nowhere")


def test_samples_are_read_one_by_one(tmp_path: Path) -> None:
    write_human36m(tmp_path)
    samples = open_dataset("human36m", str(tmp_path), surfaces=False)
    (tmp_path / "images" / H36M_NAMES[5]).unlink()
    assert samples[0].name == H36M_NAMES[2][:-4]
    with pytest.raises(DataError, match="is missing"):
        samples[1]


def test_joints_are_paired_by_name() -> None:
    of_set, of_body = shared_joints(JOINTS, SMPL_JOINTS)
    assert len(of_set) == 14
    assert [JOINTS[n] for n in of_set] == [SMPL_JOINTS[n] for n in of_body]
    assert {"spine", "jaw", "head_top"}.isdisjoint(JOINTS[n] for n in of_set)
