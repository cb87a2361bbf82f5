"""The paper's variants of HMNet: what each is given, how it is trained, what it shows."""

from dataclasses import dataclass

BASE = "hmnet"
"""The variant that the others start from and share their frozen modules with."""
BRANCHES = ("joint_branch", "surface_branch")


@dataclass(frozen=True)
class Variant:
    """One row of the paper's tables.

    name: of the checkpoint. title: for a person. sentence: what it is, in one. parts: the part map that the
    network is given: "predicted", "true" or "none". regularised: whether Eq. 3 stands before L_S in training.
    trained: the modules of `hmnet.model.HMNet` that are trained; the others stay those of BASE.
    Differs from the paper: the variants go on from BASE's weights instead of starting anew, so that two CPU
    cores can train them and a checkpoint holds only what differs.
    """

    name: str
    title: str
    sentence: str
    parts: str = "predicted"
    regularised: bool = True
    trained: tuple[str, ...] = BRANCHES


VARIANTS = {
    variant.name: variant
    for variant in (
        Variant(BASE, "HMNet", "Photo and predicted part map, trained through the regulariser.",
                trained=("rgb_encoder", "part_encoder", *BRANCHES)),
        Variant("hmnet-oracle", "HMNet-Oracle", "The true part map instead of the predicted one.",
                parts="true", trained=("part_encoder", *BRANCHES)),
        Variant("hmnet-unregularised", "Trained without Eq. 3",
                "The surface loss scores the raw mesh: no averaging in training.", regularised=False),
        Variant("baseline", "Baseline", "The photo alone, without a part map.", parts="none"),
    )
}  # fmt: skip


def form_of(name: str) -> Variant:
    """The variant of that name; a name of the user's own has BASE's form."""
    return VARIANTS.get(name, VARIANTS[BASE])
