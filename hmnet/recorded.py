"""The errors that were recorded with weights: config.json by config.json, in two families.

Nothing is measured here. A family is a folder with one folder a variant, whose networks were trained alike
and can be compared with one another.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hmnet.checkpoint import CONFIG, EMBEDDED
from hmnet.errors import DataError
from hmnet.published import ORACLE, PHOTO_ALONE, UNREGULARISED
from hmnet.variants import BASE, VARIANTS

ROOT = EMBEDDED.parents[1]
EXPERIMENTS = EMBEDDED.parent / "experiments"
SHIPPED_VARIANTS = (BASE, ORACLE, UNREGULARISED, PHOTO_ALONE)
NEEDED = ("surface", "joint", "PA surface", "PA joint", "roughness", "raw surface", "raw roughness",
          "part mean IoU")  # fmt: skip
"""Without these errors a config.json counts as not measured; older ones lack what was added since."""
EVALUATE = "python -m hmnet evaluate --data TEST --weights {folder} --variant {name} --record"
EXPERIMENT = "python -m hmnet.experiments --crops CROPS --data TEST --runs RUNS --variant {name}"


@dataclass(frozen=True)
class Family:
    """Weights that were trained alike.

    title: a few words for a table's cell. folder: that holds a folder for each variant. variants: those that
    belong to it. command: what records the errors of {name} below {folder}. configs: config.json by variant,
    of those whose errors are recorded.
    """

    title: str
    folder: Path
    variants: tuple[str, ...]
    command: str
    configs: Mapping[str, dict]

    @property
    def errors(self) -> dict[str, dict[str, float]]:
        """The recorded errors by variant and by name, mm (normal deviation in degrees, IoU without unit)."""
        return {name: config["metrics"] for name, config in self.configs.items()}

    def error(self, name: str, key: str) -> float | None:
        """One error of a variant; None where it is not recorded."""
        return self.errors.get(name, {}).get(key)

    def ratio(self, above: str, below: str, key: str) -> float | None:
        """An error of one variant over that of another; None where one of them is not recorded."""
        values = self.error(above, key), self.error(below, key)
        return None if None in values or not values[1] else values[0] / values[1]

    def images(self, name: str) -> int | None:
        """How many images (maps and crops) that variant's HMNet was trained on; None where it is not said."""
        return self.configs.get(name, {}).get("data", {}).get("hmnet", {}).get("images")

    def command_for(self, name: str) -> str:
        """What measures a variant and records its errors."""
        return self.command.format(folder=shown(self.folder), name=name)


def shipped(folder: Path = EMBEDDED) -> Family:
    """The weights that the page uses. Raises DataError for an unreadable config.json."""
    return Family("shipped", folder, SHIPPED_VARIANTS, EVALUATE, read_configs(folder, SHIPPED_VARIANTS))


def equal_budget(folder: Path = EXPERIMENTS) -> Family:
    """The experiments, in the paper's form. Raises DataError for an unreadable config.json."""
    names = tuple(VARIANTS)
    return Family("equal budget", folder, names, EXPERIMENT, read_configs(folder, names))


def read_configs(folder: Path, names: tuple[str, ...]) -> dict[str, dict]:
    """config.json of each of these variants whose errors are recorded; DataError for an unreadable one."""
    configs = {}
    for name in names:
        path = folder / name / CONFIG
        if not path.is_file():
            continue
        try:
            config = json.loads(path.read_text(encoding="utf-8"))
            complete = set(NEEDED) <= config.get("metrics", {}).keys()
        except (OSError, ValueError, AttributeError) as error:
            raise DataError(f"{path} is no readable config.json ({error}): copy it anew.") from error
        if complete:
            configs[name] = config
    return configs


def shown(path: Path) -> str:
    """A path as one writes it in the repository, so that a text is the same wherever that lies."""
    return (path.relative_to(ROOT) if path.is_relative_to(ROOT) else path).as_posix()
