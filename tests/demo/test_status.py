"""The line that says which weights answer."""

from types import SimpleNamespace

from demo import status
from hmnet.checkpoint import WeightsInfo
from hmnet.predictor import Predictor

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def of_weights(predictor: Predictor, info: WeightsInfo) -> str:
    checkpoint = SimpleNamespace(info=info)
    return status.line(None, SimpleNamespace(checkpoint=checkpoint, engine=predictor.engine))


def test_a_fallback_is_told_beside_the_weights_that_answer(predictor: Predictor) -> None:
    info = WeightsInfo(
        "embedded", "hmnet", "242179b", "somebody/<weights> cannot be had; the embedded answer."
    )
    line = of_weights(predictor, info)
    assert "<dd>embedded</dd>" in line and "<dd>242179b</dd>" in line
    assert '<p class="notice">somebody/&lt;weights&gt; cannot be had; the embedded answer.</p>' in line


def test_a_commit_of_the_hub_is_shortened(predictor: Predictor) -> None:
    line = of_weights(predictor, WeightsInfo("Hugging Face Hub somebody/weights", "hmnet", COMMIT))
    assert f"<dd>{COMMIT[:12]}</dd>" in line and "notice" not in line
