"""What hand papers report beside the mean errors: the area under the curve of PCK, and F-scores of the mesh.

Source: Zimmermann et al., FreiHAND (ICCV 2019), whose evaluation takes both up to 50 mm and at 5 and 15 mm,
as they are and after the prediction is laid over the truth.
"""

import numpy as np
import torch
from torch import Tensor

PCK_LIMIT_MM, PCK_STEPS = 50.0, 100
F_THRESHOLDS_MM = (5, 15)


def pck_auc(errors: np.ndarray) -> float:
    """Area in [0, 1] under the share of errors (N, J), mm, that are within a threshold from 0 to 50 mm."""
    thresholds = np.linspace(0, PCK_LIMIT_MM, PCK_STEPS)
    within = np.searchsorted(np.sort(errors, axis=None), thresholds, "right") / errors.size
    return float(np.trapezoid(within, thresholds) / PCK_LIMIT_MM)


def f_scores(predicted: Tensor, true: Tensor) -> dict[str, Tensor]:
    """ "F@5" and "F@15", (B,) in [0, 1], of meshes' vertices (B, V, 3) in metres.

    The harmonic mean of the shares of predicted vertices near a true one, and of true ones near a predicted.
    """
    # Not by products of matrices: rounding would cost a tenth of a millimetre.
    apart = 1000 * torch.cdist(predicted, true, compute_mode="donot_use_mm_for_euclid_dist")
    to_true, to_predicted = apart.amin(2), apart.amin(1)
    scores = {}
    for threshold in F_THRESHOLDS_MM:
        precision, recall = ((near <= threshold).float().mean(1) for near in (to_true, to_predicted))
        scores[f"F@{threshold}"] = 2 * precision * recall / (precision + recall).clamp(min=1e-9)
    return scores
