"""Both networks as one torch module that is loaded, saved and pushed as huggingface_hub's mixin does it."""

import os
from pathlib import Path

from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn

from hmnet.checkpoint import Checkpoint, load_checkpoint, load_from_hub, save_checkpoint, variants_of
from hmnet.config import ModelConfig, Preprocessing
from hmnet.errors import ImageError
from hmnet.look import look_at, part_logits, reconstruct
from hmnet.model import HMNet, HMNetOutput
from hmnet.model_card import write_model_card
from hmnet.segmentation import PartSegmenter

RECORD = ("revision", "commit", "data", "metrics")
"""What a config.json says besides the networks' forms."""


class HumanMeshNet(nn.Module, PyTorchModelHubMixin):
    """Crop in, part labels, joints and vertices out.

    `save_pretrained` and `push_to_hub` are the mixin's; what they write is a checkpoint, as
    `hmnet.checkpoint.load_checkpoint` reads it.
    """

    def __init__(
        self,
        model: HMNet,
        segmenter: PartSegmenter,
        preprocessing: Preprocessing,
        config: ModelConfig,
        record: dict | None = None,
    ) -> None:
        """config: HMNet's form. record: revision, commit, data and metrics, for config.json and the card."""
        super().__init__()
        self.model = model
        self.segmenter = segmenter
        self.preprocessing = preprocessing
        self.config = config
        self.record = record or {}

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | os.PathLike,
        *,
        variant: str | None = None,
        revision: str | None = None,
        cache_dir: str | Path | None = None,
        token: str | bool | None = None,
        local_files_only: bool = False,
        force_download: bool = False,
    ) -> "HumanMeshNet":
        """The networks of a checkpoint's folder or of a Hub repository, in float32 and eval mode.

        pretrained_model_name_or_path: a folder, "user/repo" or "user/repo@REVISION". variant: "hmnet" by
        default, or the only one there is. The rest as in the mixin, whose own way would look for config.json
        at the root only and not check what it fetched. Raises CheckpointError.
        """
        if Path(pretrained_model_name_or_path).is_dir():
            return cls._of(load_checkpoint(pretrained_model_name_or_path, variant))
        options = {
            "cache_dir": cache_dir, "token": token, "local_files_only": local_files_only,
            "force_download": force_download,
        }  # fmt: skip
        return cls._of(load_from_hub(str(pretrained_model_name_or_path), variant, revision, **options))

    @classmethod
    def _of(cls, checkpoint: Checkpoint) -> "HumanMeshNet":
        _, config = variants_of(checkpoint.folder)[checkpoint.info.variant]
        record = {key: config[key] for key in RECORD if key in config}
        form = ModelConfig(**config["model"])
        module = cls(checkpoint.model, checkpoint.segmenter, checkpoint.preprocessing, form, record)
        return module.eval()

    def forward(self, image: Tensor) -> tuple[Tensor, HMNetOutput]:
        """Part ids (B, S, S) int64, and joints and raw vertices in metres, for crops (B, 3, S, S).

        image: normalised as `preprocessing` says (`hmnet.data.crop.normalise`), S its image_size. The
        surface after the paper's Eq. 3 is `hmnet.mesh.regularise` of the raw vertices. Raises ImageError for
        another shape.
        """
        side = self.preprocessing.image_size
        if image.ndim != 4 or image.shape[1:] != (3, side, side):
            raise ImageError(
                f"Expected normalised crops of shape (B, 3, {side}, {side}), got {tuple(image.shape)}: cut "
                "and scale them first."
            )
        look = look_at(self.segmenter, image, mirror=False)
        part_map = self.segmenter.label(part_logits(self.segmenter, look))
        return part_map, reconstruct(self.model, look, part_map)

    def _save_pretrained(self, save_directory: Path) -> None:
        """The checkpoint's files and its card; no weight is rounded, so that the answers stay the same."""
        save_checkpoint(
            save_directory, self.model, self.segmenter, self.preprocessing, self.record,
            model_config=self.config, exact=True,
        )  # fmt: skip
        write_model_card(save_directory)
