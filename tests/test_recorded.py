"""Recorded errors: what is there is read, what is not is None, and what is damaged is named."""

from pathlib import Path

import pytest
from recorded_files import errors, write_config

from hmnet.errors import DataError
from hmnet.recorded import EXPERIMENTS, ROOT, equal_budget, shipped, shown
from hmnet.variants import VARIANTS


def test_every_variant_has_its_family(tmp_path: Path) -> None:
    both = {*equal_budget(tmp_path).variants, *shipped(tmp_path).variants}
    assert both == set(VARIANTS)
    # The paper's baseline is a network of its own; what is shipped beside HMNet is HMNet without a part map.
    assert "baseline" in equal_budget(tmp_path).variants and "baseline" not in shipped(tmp_path).variants


def test_errors_ratios_and_images_are_those_of_the_files(tmp_path: Path) -> None:
    write_config(tmp_path, "hmnet", errors(100.0), data={"hmnet": {"images": 5000, "steps": 100}})
    write_config(tmp_path, "baseline", errors(125.0, joint=200.0))
    family = equal_budget(tmp_path)
    assert list(family.configs) == ["hmnet", "baseline"]
    assert family.error("baseline", "joint") == 200 and family.error("hmnet", "no such error") is None
    assert family.ratio("hmnet", "baseline", "surface") == pytest.approx(0.8)
    assert family.ratio("hmnet", "baseline", "joint") == pytest.approx(0.5)
    assert family.ratio("hmnet", "hmnet-oracle", "surface") is None
    assert family.images("hmnet") == 5000 and family.images("baseline") is None


def test_what_lacks_an_error_counts_as_not_measured(tmp_path: Path) -> None:
    write_config(tmp_path, "hmnet", {"surface": 100.0})
    write_config(tmp_path, "baseline", {})
    assert not equal_budget(tmp_path).configs
    # What was added to the metrics later may be missing.
    older = errors(100.0)
    del older["full surface"], older["normal deviation"]
    write_config(tmp_path, "hmnet", older)
    assert list(equal_budget(tmp_path).configs) == ["hmnet"]


@pytest.mark.parametrize("text", ["{", "[]", '{"metrics": 3}'])
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    write_config(tmp_path, "hmnet", errors(100.0))
    (tmp_path / "hmnet" / "config.json").write_text(text)
    with pytest.raises(DataError, match=r"hmnet.config\.json is no readable"):
        shipped(tmp_path)


def test_commands_name_the_folder_as_in_the_repository() -> None:
    assert shown(EXPERIMENTS) == "assets/experiments" and shown(Path("elsewhere/x")) == "elsewhere/x"
    assert "--weights assets/weights --variant hmnet-oracle --record" in shipped().command_for("hmnet-oracle")
    assert "--variant single-task" in equal_budget().command_for("single-task")
    assert str(ROOT) not in shipped().command_for("hmnet")
