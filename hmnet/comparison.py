"""The paper's other variants beside HMNet, on the same look at the same person."""

from dataclasses import dataclass

import numpy as np
import torch

from hmnet.checkpoint import Checkpoint, load_variant
from hmnet.data.crop import in_photo
from hmnet.errors import CheckpointError
from hmnet.look import answer
from hmnet.model import HMNet, NoEncoder
from hmnet.predictor import Prediction, Predictor
from hmnet.variants import beside, form_of


@dataclass(frozen=True)
class Answer:
    """What a variant says of a person or a hand: joints (J, 3) of its joint branch and raw vertices (V, 3),
    m, in the photo's camera frame."""

    joints: np.ndarray
    raw_vertices: np.ndarray


class Comparison:
    """The variants that lie beside a predictor's weights; threads may share it."""

    def __init__(self, predictor: Predictor) -> None:
        """Loads what there is; a checkpoint without variants beside it gives none. Raises CheckpointError for
        one that is there but damaged."""
        self.predictor, self._device = predictor, predictor.device
        self._networks = _networks(predictor.checkpoint, self._device)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the variants of its body that there are, HMNet not among them, in their order."""
        return tuple(self._networks)

    def answers(self, prediction: Prediction, true_labels: np.ndarray | None = None) -> dict[str, Answer]:
        """Each variant's answer to the prediction's crop and part map, by name.

        true_labels: (S, S) uint8, the true part ids over the crop; without them the Oracle is left out.
        """
        answers = {}
        if self.predictor.device != self._device:
            # Its GPU failed, and with it what the networks of this one had there.
            self._device = self.predictor.device
            self._networks = _networks(self.predictor.checkpoint, self._device)
        device, seen = self._device, torch.from_numpy(prediction.seen)
        with torch.inference_mode():
            for name, network in self._networks.items():
                labels = true_labels if form_of(name).parts == "true" else prediction.labels
                if labels is None:
                    continue
                parts = torch.from_numpy(labels[None]).long()
                output = answer(network, seen.to(device), parts.to(device), mirrored=len(seen) > 1)
                points = (each[0].cpu().numpy() for each in (output.joints, output.vertices))
                answers[name] = Answer(*(in_photo(each, prediction.crop) for each in points))
        return answers


def _networks(checkpoint: Checkpoint, device: torch.device) -> dict[str, HMNet]:
    folder = checkpoint.folder
    there = () if folder is None else (n for n in beside(checkpoint.info.variant) if (folder / n).is_dir())
    networks = {
        name: load_variant(checkpoint, name).to(device, memory_format=torch.channels_last) for name in there
    }
    own = type(checkpoint.model.rgb_encoder)
    for name, network in networks.items():
        # What the base's encoder is given is kept with a prediction, and given to the others too.
        if not isinstance(network.rgb_encoder, own | NoEncoder):
            raise CheckpointError(
                f"The variant {name} sees pictures otherwise than {checkpoint.info.variant}: they cannot be "
                "compared on one look, so move it to another folder."
            )
    return networks
