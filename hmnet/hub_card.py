"""The model card of a repository with all variants: README.md with the metadata that the Hub reads."""

from huggingface_hub import EvalResult, ModelCardData
from huggingface_hub.repocard_data import eval_results_to_model_index

from hmnet.config import HANDS
from hmnet.model_card import HAND_LIMITS, HAND_TAGS, LIMITS, TAGS, training_section
from hmnet.variants import HAND, HAND_VARIANTS, VARIANTS

TASK = "image-to-3d"
TEST_SETS = {
    "rendered-people": "HumanMeshNet's test set (rendered people)",
    "rendered-hands": "HumanMeshNet's test set (rendered hands)",
}
"""Their kinds and names."""
INTRODUCTION = """
# HumanMeshNet

From one photo of a person: 24 body parts, 24 joints, and the mesh of the body. An independent implementation
of *HumanMeshNet* (Venkat et al., ICCV workshops 2019).

```python
from hmnet.checkpoint import load_checkpoint
from hmnet.predictor import Predictor

person = Predictor(load_checkpoint("{repo}")).predict("photo.jpg")
```

Another variant is `load_checkpoint("{repo}", variant)`, these weights and no later ones `"{repo}@COMMIT"`,
and the networks as a torch module `hmnet.pretrained.HumanMeshNet.from_pretrained("{repo}")`.
"""
HAND_INTRODUCTION = """
With `hand` in its name a variant is one of hands: 16 parts, 21 joints, and the mesh of Anny's hand.

```python
from hmnet.hand_predictor import predictor_of

hand = predictor_of(load_checkpoint("{repo}", "{variant}")).predict("photo.jpg")
```
"""
MEASURED = """
## Measured

On {sets}, by `python -m hmnet evaluate --data TEST --record`.

"""


def repository_card(repo: str, configs: dict[str, dict]) -> str:
    """The card of a repository "user/name" from its variants' config.json by their names.

    Data, sources and errors are those that the configurations record, nothing else.
    """
    hands = {name: config for name, config in configs.items() if _is_hand(config)}
    people = {name: config for name, config in configs.items() if name not in hands}
    tags = dict.fromkeys([*(TAGS if people else ()), *(HAND_TAGS if hands else ())])
    data = ModelCardData(
        license="apache-2.0",
        library_name="hmnet",
        pipeline_tag=TASK,
        tags=[*tags, "model_hub_mixin", "pytorch_model_hub_mixin"],
    )
    index = [entry for name, config in configs.items() for entry in _results(name, config)]
    if index:
        # Of several models, which ModelCardData's own argument does not take.
        data["model-index"] = index
    text = f"---\n{data}\n---\n" + INTRODUCTION.format(repo=repo)
    if hands:
        text += HAND_INTRODUCTION.format(repo=repo, variant=HAND if HAND in hands else next(iter(hands)))
    text += "\n## Variants\n\n" + "".join(_variant_line(name, config) for name, config in configs.items())
    text += _measured(people, "the test set") + _measured(hands, "the test set of hands")
    for name, config in configs.items():
        text += f"\n## What {name} was trained with\n\n" + training_section(config.get("data", {}))
    return text + (LIMITS if people else "") + (HAND_LIMITS if hands else "")


def _is_hand(config: dict) -> bool:
    return config.get("model", {}).get("body") in HANDS


def _results(name: str, config: dict) -> list[dict]:
    """One model's entry of the card's model-index; none without metrics."""
    metrics, kind = config.get("metrics"), "rendered-hands" if _is_hand(config) else "rendered-people"
    if not metrics:
        return []
    results = [
        EvalResult(
            task_type=TASK, dataset_type=kind, dataset_name=TEST_SETS[kind],
            metric_type=metric, metric_name=_titled(metric), metric_value=value,
        )
        for metric, value in metrics.items()
    ]  # fmt: skip
    return eval_results_to_model_index(f"HumanMeshNet, variant {name}", results)


def _variant_line(name: str, config: dict) -> str:
    known = (VARIANTS | HAND_VARIANTS).get(name)
    words = f": {'Of hands. ' if _is_hand(config) else ''}{known.sentence}" if known else ""
    revision = f" (revision {config['revision']})" if config.get("revision") else ""
    base = f" Kept as what differs from `{config['base']}`." if "base" in config else ""
    return f"- `{name}`{revision}{words}{base}\n"


def _measured(configs: dict[str, dict], sets: str) -> str:
    """A table of the metrics of variants, by their names, on `sets`."""
    metrics = {name: config["metrics"] for name, config in configs.items() if config.get("metrics")}
    if not metrics:
        return ""
    rows = list(dict.fromkeys(metric for values in metrics.values() for metric in values))
    table = f"| | {' | '.join(metrics)} |\n|---|{'---|' * len(metrics)}\n"
    for row in rows:
        cells = (f"{values[row]:g}" if row in values else "" for values in metrics.values())
        table += f"| {_titled(row)} | {' | '.join(cells)} |\n"
    return MEASURED.format(sets=sets) + table


def _titled(metric: str) -> str:
    """A metric's name with its unit."""
    if any(share in metric for share in ("IoU", "F@", "AUC")):
        return metric
    return f"{metric} (degrees)" if "normal deviation" in metric else f"{metric} (mm)"
