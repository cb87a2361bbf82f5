"""What other arithmetic does: the reference is torch's, the others are measured by their distance to it."""

import numpy as np
import pytest

from hmnet.engines import best_precision
from hmnet.figures import engines
from hmnet.figures.engines import MOVED, REFERENCE


def test_every_engine_is_measured_against_torch(checkpoint, shards):
    result, figure = engines.make(checkpoint, shards, 2)
    rows = result["rows"]
    assert next(iter(rows)) == REFERENCE and MOVED in rows and result["images"] == 2
    assert ("OpenVINO, bfloat16" in rows) == result["computes bfloat16"] == (best_precision() == "bf16")
    assert set(rows[REFERENCE]) == {"surface", "PA surface"}
    compiled, moved = rows["OpenVINO, float32"], rows[MOVED]
    assert compiled["largest"] < 0.5, "mm; the same networks"
    assert compiled["surface"] == pytest.approx(rows[REFERENCE]["surface"], abs=0.1)
    assert moved["mean"] > 10 * compiled["mean"] > 0, "another picture, another answer"
    assert moved["mean"] <= moved["largest"]
    assert len(figure.axes[0].lines) == len(rows) - 1


def test_distances_are_told_by_picture():
    distances = np.array([[1.0, 3.0], [2.0, 10.0]])
    told = engines._spread(distances)
    assert told["mean"] == 4 and told["median of largest"] == 6.5 and told["largest"] == 10
