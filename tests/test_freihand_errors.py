"""FreiHAND's protocol against a slow, plain oracle; the submission, scored anew, gives what was printed."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from dataset_files import posed_hands, use_fake_mano, write_freihand
from scipy.spatial.transform import Rotation

from hmnet.__main__ import main
from hmnet.checkpoint import load_checkpoint, save_checkpoint
from hmnet.config import ModelConfig, preprocessing_of
from hmnet.data.datasets import open_dataset
from hmnet.errors import DataError, OutputError
from hmnet.freihand_errors import error_lines, freihand_errors, protocol_errors, write_submission
from hmnet.model import build_hmnet
from hmnet.placed_hands import PlacedHands
from hmnet.segmentation import build_segmenter, segmenter_config

# --- the oracle: numpy, one hand and one point at a time -----------------------------------------------


def fit(source: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Scale, rotation (3, 3) and shift (3,) that bring points (N, 3) nearest to others; no mirror image."""
    here, there = source - source.mean(0), target - target.mean(0)
    rotation = Rotation.align_vectors(there, here)[0].as_matrix()
    turned = here @ rotation.T
    scale = (turned * there).sum() / (turned**2).sum()
    return scale, rotation, target.mean(0) - scale * rotation @ source.mean(0)


def moved(points: np.ndarray, similarity: tuple[float, np.ndarray, np.ndarray]) -> np.ndarray:
    scale, rotation, shift = similarity
    return np.array([scale * rotation @ point + shift for point in points])


def f_score(found: np.ndarray, true: np.ndarray, millimetres: float) -> float:
    def share(these: np.ndarray, those: np.ndarray) -> float:
        return np.mean([np.linalg.norm(those - point, axis=1).min() <= millimetres / 1000 for point in these])

    precision, recall = share(found, true), share(true, found)
    return 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)


def curve_area(distances: np.ndarray) -> float:
    """Of distances (N, points) m: the mean over the points of the area under each one's curve to 5 cm."""
    thresholds = np.linspace(0, 0.05, 100)
    areas = []
    for own in distances.T:
        within = [np.mean(own <= threshold) for threshold in thresholds]
        areas.append(sum((a + b) / 2 for a, b in itertools.pairwise(within)) / 99)
    return float(np.mean(areas))


def oracle(found: list[np.ndarray], true: list[np.ndarray], paired: bool) -> dict[str, np.ndarray]:
    """What eval.py measures of joints (N, 21, 3) and vertices (N, V, 3): distances (N, points) m, F (N,)."""
    rows: dict[str, list] = {}
    for joints, vertices, true_joints, true_vertices in zip(*found, *true, strict=True):
        by_joints = fit(joints, true_joints)
        one = {
            "joint": np.linalg.norm(joints - true_joints, axis=1),
            "joint from the wrist": np.linalg.norm(
                joints - joints[0] - (true_joints - true_joints[0]), axis=1
            ),
            "PA joint": np.linalg.norm(moved(joints, by_joints) - true_joints, axis=1),
        }
        aligned = moved(vertices, by_joints)
        if paired:
            aligned = moved(vertices, fit(vertices, true_vertices))
            one["vertex"] = np.linalg.norm(vertices - true_vertices, axis=1)
            one["PA vertex"] = np.linalg.norm(aligned - true_vertices, axis=1)
        for threshold in (5, 15):
            one[f"F@{threshold}"] = f_score(vertices, true_vertices, threshold)
            one[f"PA F@{threshold}"] = f_score(aligned, true_vertices, threshold)
        for name, value in one.items():
            rows.setdefault(name, []).append(value)
    return {name: np.array(values) for name, values in rows.items()}


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


# --- networks ---------------------------------------------------------------------------------------


def write_checkpoint(folder: Path, body: str) -> Path:
    """An untrained network of that body."""
    torch.manual_seed(0)
    config = ModelConfig(variant="hand", body=body, feature_size=32, input_pooling=8)
    segmenter = build_segmenter(segmenter_config(body), body)
    save_checkpoint(
        folder, build_hmnet(config), segmenter, preprocessing_of(body), {"revision": "abc1234"},
        model_config=config,
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("hand"), "hand")


@pytest.fixture(scope="module")
def mano_weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Weights of MANO's template, whose file is a form of our own."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        use_fake_mano(tmp_path_factory.mktemp("bodies"), monkeypatch)
        yield write_checkpoint(tmp_path_factory.mktemp("mano"), "mano")


def printed(text: str) -> dict[str, tuple[float, str]]:
    """Each row's mean, and what follows its interval."""
    rows = [line for line in text.splitlines() if "[" in line and "]" in line and "images" not in line]
    return {row[:22].strip(): (float(row[22:].split()[0]), row.split("]")[1].strip()) for row in rows}


# --- tests ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("paired", [True, False])
def test_the_measures_are_those_of_the_definitions(paired: bool) -> None:
    generator = np.random.default_rng(2)
    vertices, joints = posed_hands(3, seed=2)
    turn = Rotation.from_euler("zyx", [20, -5, 10], degrees=True).as_matrix()
    noisy = [points @ turn.T * 1.02 + 0.004 + generator.normal(0, 0.004, points.shape)
             for points in (joints, vertices)]  # fmt: skip
    if not paired:
        noisy[1] = noisy[1][:, ::2]
    found, true = (
        PlacedHands(*(torch.from_numpy(points).float() for points in pair))
        for pair in (noisy, (joints, vertices))
    )
    measured = protocol_errors(found, true, paired)
    expected = oracle(noisy, [joints, vertices], paired)
    assert measured.keys() == expected.keys() and ("vertex" in measured) == paired
    for name, values in expected.items():
        scores = "F@" in name
        # A vertex at a threshold may fall to either side of it.
        np.testing.assert_allclose(measured[name], values * (1 if scores else 1000), atol=2e-3, err_msg=name)
    assert 0.3 < expected["PA F@5"].mean() < 0.98 and expected["PA joint"].mean() < 0.01
    for line in error_lines({name: value.double().numpy() for name, value in measured.items()}):
        name = line[:22].strip()
        if "AUC" in line:
            assert float(line.split()[-1]) == pytest.approx(curve_area(expected[name]), abs=2e-3)


def test_the_truth_has_no_errors(tmp_path: Path) -> None:
    hands = PlacedHands(*(torch.from_numpy(points).float() for points in reversed(posed_hands(2))))
    for name, values in protocol_errors(hands, hands, True).items():
        torch.testing.assert_close(values, torch.full_like(values, float("F@" in name)), atol=1e-3, rtol=0)


def test_a_mirrored_hand_stays_wrong() -> None:
    vertices, joints = (torch.from_numpy(points).float() for points in posed_hands(1))
    mirrored = PlacedHands(joints * torch.tensor([-1.0, 1, 1]), vertices * torch.tensor([-1.0, 1, 1]))
    assert protocol_errors(mirrored, PlacedHands(joints, vertices), True)["PA vertex"].mean() > 5


@pytest.mark.parametrize("body", ["hand", "mano"])
def test_the_submission_scored_anew_gives_what_was_printed(
    body: str, request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = request.getfixturevalue({"hand": "weights", "mano": "mano_weights"}[body])
    vertices, joints = posed_hands(2, seed=5)
    write_freihand(tmp_path, vertices=vertices, joints=joints)
    file = tmp_path / "pred.json"
    given = ["evaluate", "--data", "freihand", "--root", str(tmp_path), "--weights", str(folder)]
    assert main([*given, "--submission", str(file)]) == 0
    shown = capsys.readouterr().out
    assert "FreiHAND, split evaluation (all pictures" in shown and "true box" in shown and "2 images" in shown
    assert ("vertex: not compared one by one, since the network's body is hand" in shown) == (body == "hand")
    found = [np.array(points) for points in json.loads(file.read_text())]
    # As many as MANO's, the server would take Anny's vertices for those.
    assert [points.shape for points in found] == [(2, 21, 3), (2, {"hand": 1609, "mano": 778}[body], 3)]
    rows, expected = printed(shown), oracle(found, [joints, vertices], body == "mano")
    assert rows.keys() == expected.keys()
    for name, values in expected.items():
        if "F@" in name:
            assert rows[name][0] == pytest.approx(values.mean(), abs=2e-3)
        else:
            assert rows[name][0] == pytest.approx(1000 * values.mean(), rel=1e-3, abs=0.06)
            assert float(rows[name][1].removeprefix("AUC ")) == pytest.approx(curve_area(values), abs=2e-3)


def test_hands_can_be_searched_from_the_whole_picture_on(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from hmnet import placed_hands

    boxes, crops_of = [], placed_hands.crops_of
    monkeypatch.setattr(
        placed_hands,
        "crops_of",
        lambda samples, c: boxes.extend(s.box for s in samples) or crops_of(samples, c),
    )
    write_freihand(tmp_path)
    given = ["evaluate", "--data", "freihand", "--root", str(tmp_path), "--weights", str(weights)]
    assert main([*given, "--limit", "1"]) == 0
    assert main([*given, "--whole-picture", "--limit", "1"]) == 0
    tight, whole = boxes
    assert whole.tolist() == [0, 0, 224, 224] and (tight[2:] - tight[:2]).max() < 200
    assert "from the whole picture on" in capsys.readouterr().out


def test_true_parts_are_shown_to_the_network(mano_weights: Path, tmp_path: Path) -> None:
    write_freihand(tmp_path)
    checkpoint, samples = load_checkpoint(mano_weights), open_dataset("freihand", tmp_path, part_maps=True)
    true, own = (freihand_errors(checkpoint, samples, [0], given)[0]["PA joint"] for given in (True, False))
    assert true.shape == own.shape == (1, 21) and np.abs(true - own).max() > 1e-4
    with pytest.raises(DataError, match="no sample to evaluate"):
        freihand_errors(checkpoint, samples, [])


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["--record"], "--record is for a rendered test set"),
        (["--split", "dev"], "FreiHAND has no split 'dev': choose one of train, evaluation"),
        (["--submission", "pred.json", "--limit", "1"], "--submission needs all hands of the evaluation set"),
        (["--submission", "pred.json", "--split", "train"], "--submission needs all hands"),
        (["--submission", "nowhere/pred.json"], "There is no folder for nowhere/pred.json"),
    ],
)
def test_what_does_not_go_together_is_told(
    given: list[str], sentence: str, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_freihand(tmp_path)
    asked = ["evaluate", "--data", "freihand", "--root", str(tmp_path), "--weights", str(weights)]
    assert main([*asked, *given]) == 2
    assert sentence in capsys.readouterr().err


def test_bodies_and_hands_are_not_measured_on_each_others_sets(
    weights: Path, checkpoint_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_freihand(tmp_path)
    root = ["--root", str(tmp_path), "--weights"]
    assert main(["evaluate", "--data", "freihand", *root, str(checkpoint_folder)]) == 2
    assert "FreiHAND shows hands, but the weights are of the body anny" in capsys.readouterr().err
    assert main(["evaluate", "--data", "surreal", *root, str(weights)]) == 2
    assert "SURREAL shows whole bodies, but the weights are of the body hand" in capsys.readouterr().err


def test_a_submission_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    hands = PlacedHands(torch.zeros(1, 21, 3), torch.zeros(1, 5, 3))
    with pytest.raises(OutputError, match="cannot be written"):
        write_submission(tmp_path, hands)
