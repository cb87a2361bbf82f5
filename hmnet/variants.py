"""The paper's variants of HMNet: what each is given, what it is made of and how it is trained."""

from dataclasses import dataclass, replace

BASE = "hmnet"
"""The variant that the shipped others start from and share their frozen modules with."""
HAND = "hand"
"""The same of right hands."""
BRANCHES = ("joint_branch", "surface_branch")


@dataclass(frozen=True)
class Variant:
    """One row of the paper's tables, as a configuration of one model.

    name: of the checkpoint. title: for a person. sentence: what it is, in one.
    rgb: the encoder of the picture: "resnet18" (unless `ModelConfig.rgb_input` puts another in its place),
    "resnet50" or "none". parts: the part map that the network is given: "predicted", "true" or "none".
    joint_branch: whether there is one; without, joints are those regressed from the surface, and neither L_J
    nor L_JS is taken. regularised: whether Eq. 3 stands before L_S in training. joint_loss, agreement:
    whether L_J and L_JS are taken. body: the template. true_meshes: whether it learns from the true meshes,
    or from badly fitted ones with true joints (`hmnet.data.misfit`).
    trained: the modules of `hmnet.model.HMNet` that are trained when it goes on from BASE's weights; the
    others stay BASE's. A variant that starts anew trains all it has.
    """

    name: str
    title: str
    sentence: str
    rgb: str = "resnet18"
    parts: str = "predicted"
    joint_branch: bool = True
    regularised: bool = True
    joint_loss: bool = True
    agreement: bool = True
    body: str = "anny"
    true_meshes: bool = True
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
        Variant("rgb-only", "Photo alone", "HMNet without a part map.", parts="none"),
        Variant("baseline", "Baseline", "A ResNet-50 of the photo, straight to the vertices.",
                rgb="resnet50", parts="none", joint_branch=False),
        Variant("single-task-parts", "Single task, parts", "The part map alone, straight to the vertices.",
                rgb="none", joint_branch=False),
        Variant("single-task", "Single task", "Photo and part map, straight to the vertices.",
                joint_branch=False),
        Variant("hmnet-full", "HMNet, full template", "HMNet on the body's full surface of 13,718 vertices.",
                body="anny-full"),
        Variant("hmnet-no-joint-loss", "Without L_J", "The joint branch only agrees with the surface.",
                joint_loss=False),
        Variant("hmnet-no-agreement", "Without L_JS", "Nothing asks that the two branches agree.",
                agreement=False),
        Variant("hmnet-noisy", "HMNet, noisy meshes", "HMNet trained on badly fitted meshes, joints true.",
                true_meshes=False),
        Variant("single-task-noisy", "Single task, noisy meshes",
                "Trained on the same badly fitted meshes, without the true joints.",
                joint_branch=False, true_meshes=False),
    )
}  # fmt: skip


def hand_name(name: str) -> str:
    """What a hand's weights of a variant in VARIANTS are called: "hand", "hand-unregularised", ..."""
    return HAND if name == BASE else f"{HAND}-{name.removeprefix(f'{BASE}-')}"


HAND_VARIANTS = {
    hand_name(variant.name): replace(variant, name=hand_name(variant.name), body="hand")
    for variant in VARIANTS.values()
    if variant.body == "anny" and variant.true_meshes
}
"""The variants that hands have too. They are kept apart, since the one body's are never compared with the
other's."""


def form_of(name: str) -> Variant:
    """The variant of that name, of whichever body; a name of the user's own has BASE's form."""
    return VARIANTS.get(name) or HAND_VARIANTS.get(name, VARIANTS[BASE])


def beside(name: str) -> tuple[str, ...]:
    """Names of the variants of the same body, its HMNet not among them, that answer beside that variant."""
    family, own = (HAND_VARIANTS, HAND) if name in HAND_VARIANTS else (VARIANTS, BASE)
    return tuple(other for other in family if other not in (own, name))
