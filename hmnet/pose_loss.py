"""Eq. 5 in training: which of the paper's losses a variant takes, and how they are weighted."""

import dataclasses

import numpy as np
import torch
from torch import Tensor

from hmnet.body import BodyTemplate
from hmnet.losses import surface_loss, total_loss
from hmnet.mesh import MeshTopology, neighbour_average
from hmnet.metrics import joint_error, pa_joint_error, pa_surface_error, surface_error
from hmnet.model import HMNetOutput
from hmnet.variants import BASE, VARIANTS, Variant

AGREEMENT = 0.1
"""Weight of L_JS, see `PoseLoss`."""
RAW = 0.1
"""Weight of the raw vertices' distance, likewise."""


class PoseLoss:
    """Eq. 5: the joint term is weighted by its running ratio to the surface term, to contribute as much.

    Differs from the paper: L_JS keeps a small fixed weight. Distances are not squared, so its gradient does
    not fade as the branches agree; weighted to contribute equally it held them within 1.5 mm of each other
    while neither learnt (247 mm surface error after 75,000 maps). The raw vertices have a small term of their
    own: what averaging cannot see of them would be left to chance, 135 mm from their neighbours.
    """

    def __init__(
        self, body: BodyTemplate, device: torch.device | str = "cpu", form: Variant = VARIANTS[BASE]
    ) -> None:
        """form: says whether Eq. 3 stands before the surface losses, and which of L_J and L_JS are taken."""
        self.averagings = int(form.regularised)
        self.joint_weight = float(form.joint_branch and form.joint_loss)
        self.agreement = AGREEMENT if form.joint_branch and form.agreement else 0.0
        # The fixed operators go to the device once, not at every step.
        self.body = dataclasses.replace(body, joint_regressor=body.joint_regressor.to(device))
        topology = MeshTopology.from_faces(body.faces, len(body.vertices))
        self.neighbours = topology.neighbour_matrix.to(device, torch.float32)
        self.means = {"surface": 0.3, "joint": 0.3}

    def __call__(self, output: HMNetOutput, gt_vertices: Tensor, gt_joints: Tensor):
        """The loss and its terms in m, for truth (B, V, 3) and (B, J, 3)."""
        averaged, regressed = self.regularised(output)
        balance = self.joint_weight * self.means["surface"] / self.means["joint"]
        loss, terms = total_loss(
            averaged, output.joints, regressed, gt_vertices, gt_joints, balance, self.agreement
        )
        loss = loss + RAW * surface_loss(output.vertices, gt_vertices)
        for name, mean in self.means.items():
            self.means[name] = 0.99 * mean + 0.01 * max(terms[name].item(), 1e-3)
        return loss, terms

    def regularised(self, output: HMNetOutput) -> tuple[Tensor, Tensor]:
        """The averaged vertices (Eq. 3) and the joints regressed from them."""
        averaged = neighbour_average(output.vertices, self.neighbours, self.averagings)
        return averaged, self.body.regress_joints(averaged)

    def scores(self, output: HMNetOutput, vertices: Tensor, joints: np.ndarray) -> dict[str, float]:
        """The paper's metrics, mean over the batch, in mm."""
        averaged, regressed = (points.float().cpu() for points in self.regularised(output))
        vertices, joints = vertices.float().cpu(), torch.from_numpy(np.array(joints, np.float32))
        return {
            "surface_mm": float(surface_error(averaged, vertices).mean()),
            "joint_mm": float(joint_error(regressed, joints).mean()),
            "pa_surface_mm": float(pa_surface_error(averaged, vertices).mean()),
            "pa_joint_mm": float(pa_joint_error(regressed, joints).mean()),
        }
