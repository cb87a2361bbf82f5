"""Files of the licensed bodies are found by their names, and a wrong one is told in a sentence."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from fake_smpl import mano_arrays, smpl_arrays, write_smpl
from scipy import sparse

from hmnet.body import load_body
from hmnet.body.licensed import load_smpl
from hmnet.body.smpl_files import FOLDER_VARIABLE, bodies_folder, body_file, read_body_file
from hmnet.errors import BodyError

KEY = "smpl-neutral"


def test_without_a_file_the_sentence_says_which_whence_and_whither(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    told = (
        r"SMPL's neutral body is licensed and not shipped: register at https://smpl.* put SMPL_NEUTRAL\.pkl"
    )
    for call in (load_smpl, lambda: load_body("smpl"), lambda: load_body("smpl-1723")):
        with pytest.raises(BodyError, match=f"{told}.*environment variable HMNET_BODIES"):
            call()
    with pytest.raises(
        BodyError, match=r"MANO's right hand.*https://mano\.is\.tue\.mpg\.de.*MANO_RIGHT\.pkl"
    ):
        load_body("mano")
    with pytest.raises(BodyError, match=r"SMPL's male body.*basicModel_m_lbs_10_207_0_v1\.0\.0\.pkl"):
        load_smpl("male")
    with pytest.raises(BodyError, match=f"neutral body is not in {tmp_path}: register"):
        load_smpl(folder=tmp_path)
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(BodyError, match="nowhere, which is no folder"):
        load_body("smpl")


@pytest.mark.parametrize(
    "name",
    ["SMPL_NEUTRAL.npz", "smpl/models/basicmodel_neutral_lbs_10_207_0_v1.1.0.pkl",
     "basicModel_neutral_lbs_10_207_0_v1.0.0.PKL"],
)  # fmt: skip
def test_found_under_the_names_of_every_distribution(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    (tmp_path / "SMPL_MALE.npz").touch()
    assert body_file(KEY, tmp_path) == path
    if name != "SMPL_NEUTRAL.npz":
        (tmp_path / "SMPL_NEUTRAL.npz").touch()
        assert body_file(KEY, tmp_path).name == "SMPL_NEUTRAL.npz"


def test_the_argument_stands_above_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, "a")
    assert bodies_folder() == Path("a") and bodies_folder("b") == Path("b")


def test_a_pickle_as_it_is_distributed_gives_the_same_arrays(tmp_path: Path) -> None:
    arrays = smpl_arrays()
    distributed = arrays | {
        "J_regressor": sparse.csc_matrix(arrays["J_regressor"].astype(float)),
        "v_template": arrays["v_template"].astype(float),
        "shapedirs": np.concatenate([arrays["shapedirs"]] * 2, 2),
        "bs_style": "lbs",
    }
    path = tmp_path / "SMPL_NEUTRAL.pkl"
    path.write_bytes(pickle.dumps(distributed, 2))
    read = read_body_file(KEY, path)
    plain = read_body_file(KEY, write_smpl(tmp_path))
    assert plain["kintree_table"][0, 0] == -1 and plain["f"].dtype == np.int64
    for name, array in plain.items():
        np.testing.assert_array_equal(read[name], array, err_msg=name)


def test_flat_blend_shapes_get_their_form(tmp_path: Path) -> None:
    arrays = mano_arrays()
    flat = {name: array.ravel() if name.endswith("dirs") else array for name, array in arrays.items()}
    path = tmp_path / "MANO_RIGHT.npz"
    np.savez(path, **flat)
    read = read_body_file("mano-right", path)
    np.testing.assert_array_equal(read["posedirs"], arrays["posedirs"])


def test_files_with_something_else_in_them(tmp_path: Path) -> None:
    path = tmp_path / "SMPL_NEUTRAL.npz"
    arrays = smpl_arrays()
    broken = arrays["v_template"].copy()
    broken[7] = np.nan
    orphan = arrays["kintree_table"].copy()
    orphan[0, 3] = 30
    for content, told in (
        (
            mano_arrays(),
            r"expected 'v_template' of SMPL's neutral body as 6890 x 3 numbers, got float32 778 x 3",
        ),
        (
            {"v_template": arrays["v_template"]},
            r"has no 'shapedirs': expected the file of SMPL's neutral body",
        ),
        (arrays | {"f": arrays["f"] + 1}, "expected faces of 6890 vertices"),
        (arrays | {"v_template": broken}, "finite numbers, got others"),
        (arrays | {"kintree_table": orphan}, "joints that follow their parents"),
        (arrays | {"weights": np.array([None])}, "cannot be read as plain arrays.*put the .pkl there"),
    ):
        np.savez(path, **content)
        with pytest.raises(BodyError, match=told):
            read_body_file(KEY, path)
    path.write_bytes(b"no arrays")
    with pytest.raises(BodyError, match="cannot be read as plain arrays"):
        read_body_file(KEY, path)
