"""The model card of a repository with all variants: README.md with the metadata that the Hub reads."""

from huggingface_hub import EvalResult, ModelCardData
from huggingface_hub.repocard_data import eval_results_to_model_index

from hmnet.model_card import LIMITS, TAGS, training_section
from hmnet.variants import VARIANTS

TASK = "image-to-3d"
TEST_SET = "HumanMeshNet's test set (rendered people)"
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
MEASURED = """
## Measured

On the test set, by `python -m hmnet evaluate --data TEST --record`.

"""


def repository_card(repo: str, configs: dict[str, dict]) -> str:
    """The card of a repository "user/name" from its variants' config.json by their names.

    Data, sources and errors are those that the configurations record, nothing else.
    """
    data = ModelCardData(
        license="apache-2.0",
        library_name="hmnet",
        pipeline_tag=TASK,
        tags=[*TAGS, "model_hub_mixin", "pytorch_model_hub_mixin"],
    )
    index = [entry for name, config in configs.items() for entry in _results(name, config.get("metrics"))]
    if index:
        # Of several models, which ModelCardData's own argument does not take.
        data["model-index"] = index
    text = f"---\n{data}\n---\n" + INTRODUCTION.format(repo=repo)
    text += "\n## Variants\n\n" + "".join(_variant_line(name, config) for name, config in configs.items())
    text += _measured({name: config["metrics"] for name, config in configs.items() if config.get("metrics")})
    for name, config in configs.items():
        text += f"\n## What {name} was trained with\n\n" + training_section(config.get("data", {}))
    return text + LIMITS


def _results(name: str, metrics: dict | None) -> list[dict]:
    """One model's entry of the card's model-index; none without metrics."""
    if not metrics:
        return []
    results = [
        EvalResult(
            task_type=TASK, dataset_type="rendered-people", dataset_name=TEST_SET,
            metric_type=metric, metric_name=_titled(metric), metric_value=value,
        )
        for metric, value in metrics.items()
    ]  # fmt: skip
    return eval_results_to_model_index(f"HumanMeshNet, variant {name}", results)


def _variant_line(name: str, config: dict) -> str:
    known = VARIANTS.get(name)
    words = f": {known.sentence}" if known else ""
    revision = f" (revision {config['revision']})" if config.get("revision") else ""
    base = f" Kept as what differs from `{config['base']}`." if "base" in config else ""
    return f"- `{name}`{revision}{words}{base}\n"


def _measured(metrics: dict[str, dict]) -> str:
    """A table of the variants' metrics, by the names of the variants."""
    if not metrics:
        return ""
    rows = list(dict.fromkeys(metric for values in metrics.values() for metric in values))
    table = f"| | {' | '.join(metrics)} |\n|---|{'---|' * len(metrics)}\n"
    for row in rows:
        cells = (f"{values[row]:g}" if row in values else "" for values in metrics.values())
        table += f"| {_titled(row)} | {' | '.join(cells)} |\n"
    return MEASURED + table


def _titled(metric: str) -> str:
    """A metric's name with its unit."""
    if "IoU" in metric:
        return metric
    return f"{metric} (degrees)" if "roughness" in metric else f"{metric} (mm)"
