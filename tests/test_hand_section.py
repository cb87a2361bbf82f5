"""The section on hands says what was measured, and is not there before."""

import json
from pathlib import Path

import numpy as np
import pytest
from recorded_files import errors, row, write_config

from hmnet.errors import DataError
from hmnet.hand_results import ERRORS, changes_of, rows_of
from hmnet.hand_section import hand_section
from hmnet.results import results


def made_up(surface: float, raw: float, rough: float, count: int = 40) -> dict[str, np.ndarray]:
    """Errors as of `pose_errors`: each near a number, all but roughness like the surface error."""
    spread = np.linspace(-1, 1, count)
    made = {}
    for prefix, value, roughness in (("", surface, rough), ("raw ", raw, 2 * rough)):
        made |= {prefix + error: value + spread for error in ERRORS}
        made[prefix + "roughness"] = roughness + 0.1 * spread
        made |= {prefix + joints: np.full((count, 21), value) for joints in ("each joint", "PA each joint")}
    return made


def written(folder: Path, measured: dict[str, dict], **more) -> Path:
    folder.mkdir(exist_ok=True)
    weights = {name: {"revision": "abc1234", "images": 5000} for name in measured}
    weights |= {"hand-unregularised": {"revision": "abc1235", "images": 7000, "own": 2000}}
    result = {
        "images": 40, "pictures": {"count": 50, "seed": 3, "split": "test", "backgrounds": None},
        "weights": weights, "part mean IoU": 0.654,
        "rows": rows_of(measured), "changes": changes_of(measured),
    }  # fmt: skip
    (folder / "hands.json").write_text(json.dumps(result | more))
    return folder


def test_rows_changes_and_their_words_follow_from_the_numbers(tmp_path: Path) -> None:
    measured = {
        "hand": made_up(9.0, 9.5, 0.5), "hand-unregularised": made_up(9.2, 9.1, 0.5),
        "hand-single-task": made_up(9.0, 9.0, 0.5),
    }  # fmt: skip
    # Of one error the sign differs from picture to picture.
    measured["hand"]["joint"] = 9.0 + np.tile([1.0, -1.0], 20)
    (text,) = hand_section(written(tmp_path, measured))
    assert text.startswith("## Hands\n") and "40 rendered hands" in text and "--count 50 --seed 3" in text
    assert "backgrounds: computed" in text and "parts, as HMNet is given them, is 0.65" in text
    own = row(text, "HMNet (`hand`)", "averaged")
    assert own[2].startswith("9.00 [8.8") and own[6] == own[7] == "0.823"
    assert own[9] == "5,000 images (revision abc1234)"
    raw = row(text, "Trained without Eq. 3 (`hand-unregularised`)", "raw")
    assert raw[2].startswith("9.10 [") and raw[8].startswith("1.00 [")
    assert raw[9] == "7,000 images, 2,000 of these in this form (revision abc1235)"
    assert len([line for line in text.splitlines() if line.startswith("| Single task (")]) == 2
    lines = {line.split(" changes")[0]: line for line in text.splitlines() if line.startswith("- ")}
    assert len(lines) == 5
    averaged = lines["- Averaging HMNet's mesh"]
    assert "surface by -0.50 mm [-0.50, -0.50]" in averaged and "it lowers surface, " in averaged
    assert "raises" not in averaged and "what becomes of joints" not in averaged
    other = lines["- Averaging the mesh of the network trained without Eq. 3"]
    assert "it lowers roughness; it raises surface, joints, PA surface and PA joints." in other
    branch = lines["- The joint branch"]
    assert branch.endswith(
        "what becomes of surface, joints, PA surface, PA joints and roughness may be chance."
    )
    assert "surface by -0.10 mm" in lines["- Training through Eq. 3 and averaging, instead of neither,"]
    assert "surface by -0.20 mm" in lines["- Training through Eq. 3, both meshes averaged,"]


def test_variants_that_are_not_there_are_not_spoken_of(tmp_path: Path) -> None:
    (text,) = hand_section(written(tmp_path, {"hand": made_up(9.0, 9.5, 0.5)}))
    assert "Trained without" not in text and text.count("\n- ") == 1


def test_before_hands_were_measured_there_is_no_section(tmp_path: Path) -> None:
    weights, figures = tmp_path / "weights", tmp_path / "figures"
    write_config(weights, "hmnet", errors(100.0))
    before = results(weights, tmp_path, figures)
    assert hand_section(figures) == [] and "## Hands" not in before
    (section,) = hand_section(written(figures, {"hand": made_up(9.0, 9.5, 0.5)}))
    after = results(weights, tmp_path, figures)
    assert after.replace(f"{section}\n\n", "") == before and "python -m hmnet.hand_results" in section


@pytest.mark.parametrize("text", ["{", "{}", '{"images": 3}'])
def test_a_file_of_another_form_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "hands.json").write_text(text)
    with pytest.raises(DataError, match=r"hands\.json cannot be used .* hmnet\.hand_results"):
        hand_section(tmp_path)
