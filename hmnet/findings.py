"""What our numbers say beside the paper's, in sentences: the same or different, and then likely why.

Every sentence follows from recorded errors: other numbers give other words.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hmnet.published import (
    ABOUT,
    ABOVE,
    HMNET_SURREAL,
    JOINT,
    RATIOS,
    SURFACE,
    TITLES,
    UNREGULARISED,
    Ratio,
)
from hmnet.recorded import Family
from hmnet.variants import BASE, VARIANTS

NEAR = 0.02
"""Ratios that differ by less than this are called equal."""
HELPED = 0.8
"""True joints help where bad meshes cost less than this share of what they cost without them."""
LITTLE = 0.05
"""mm; a surface error that changes by less stays."""
SAME, DIFFERENT, NOTE = "as in the paper", "different from the paper", "not to be compared"


@dataclass(frozen=True)
class Finding:
    """A sentence, and whether it tells of something SAME, DIFFERENT, or a NOTE."""

    kind: str
    sentence: str


def findings(families: Iterable[Family]) -> list[Finding]:
    """All that can be said of the families' recorded errors; what is not recorded gives no sentence."""
    found: list[Finding] = []
    for family in families:
        found += _level(family)
        found += [finding for ratio in RATIOS for finding in _ratio(family, ratio)]
        found += _square(family)
        found += _noise(family)
        found += _doubts(family)
    return found


def _level(family: Family) -> Iterable[Finding]:
    own, published = family.error(BASE, SURFACE), HMNET_SURREAL[SURFACE]
    if own is None:
        return
    yield Finding(
        DIFFERENT if abs(own / published - 1) > NEAR else SAME,
        f"HMNet's surface error ({family.title}) is {own:.1f} mm, {own / published:.2f} times the published "
        f"{published} mm, which are of other pictures; ours are hard on purpose (other people, things in "
        f"front, cut by the frame), and the networks saw {_number(family.images(BASE))} images.",
    )


def _ratio(family: Family, ratio: Ratio) -> Iterable[Finding]:
    ours = family.ratio(ratio.above, ratio.below, ratio.key)
    if ours is None:
        return
    start = (
        f"{VARIANTS[ratio.above].title} / {VARIANTS[ratio.below].title} ({family.title}): {ours:.2f} in "
        f"{TITLES[ratio.key]} error"
    )
    if ratio.published is not None:
        kind, verdict = _against_figure(ours, ratio.published)
        start += f", published {ratio.published:.2f}"
    elif ratio.claim:
        kind, verdict = _against_claim(ours, ratio.claim)
        start += f", {ratio.claim} in the paper"
    else:
        kind, verdict = NOTE, f"{_direction(ours)}; no published figure could be checked"
    yield Finding(kind, f"{start}: {verdict}{_cause(family, ratio) if kind == DIFFERENT else ''}.")


def _against_figure(ours: float, published: float) -> tuple[str, str]:
    """Verdict on a ratio of which the paper's is below 1."""
    if abs(ours - published) <= NEAR:
        return SAME, "the same gain"
    if ours > 1 + NEAR:
        return DIFFERENT, "the other way round, a loss here"
    if ours > 1 - NEAR:
        return DIFFERENT, "no gain here"
    return DIFFERENT, f"a gain too, but a {'smaller' if ours > published else 'larger'} one"


def _against_claim(ours: float, claim: str) -> tuple[str, str]:
    difference = ours - 1
    if claim == ABOUT:
        same = abs(difference) <= NEAR
        return (SAME, "hardly any difference") if same else (DIFFERENT, _direction(ours))
    if claim != ABOVE:
        raise ValueError(f"Unknown claim {claim!r}: expected {ABOUT!r} or {ABOVE!r}.")
    if difference > NEAR:
        return SAME, "leaving it out costs here too"
    return DIFFERENT, "no difference here" if difference > -NEAR else "the other way round here"


def _direction(ours: float) -> str:
    if abs(ours - 1) <= NEAR:
        return "hardly any difference"
    return f"{100 * abs(ours - 1):.0f} % {'more' if ours > 1 else 'less'} error"


def _cause(family: Family, ratio: Ratio) -> str:
    """Words from "; likely because" on, or none where the record does not hold what the cause speaks of."""
    images, iou = family.images(BASE), family.error(BASE, "part mean IoU")
    if not ratio.cause or ("{images" in ratio.cause and images is None):
        return ""
    return "; likely because " + ratio.cause.format(images=images, iou=iou)


def _square(family: Family) -> Iterable[Finding]:
    """Fig. 8: what averaging does to a network trained with it and to one trained without."""
    if not {BASE, UNREGULARISED} <= family.configs.keys():
        return
    errors = family.errors
    corners = {
        "trained with Eq. 3 and averaged": (errors[BASE], ""),
        "trained with Eq. 3, not averaged": (errors[BASE], "raw "),
        "trained without and averaged": (errors[UNREGULARISED], ""),
        "trained without, not averaged": (errors[UNREGULARISED], "raw "),
    }
    own = next(iter(corners))
    for key, what in ((SURFACE, "lowest surface error"), ("roughness", "smoothest mesh")):
        best = min(corners, key=lambda corner: corners[corner][0][corners[corner][1] + key])
        if best == own:
            yield Finding(SAME, f"The {what} of Fig. 8's four ({family.title}) is that {best}.")
        else:
            yield Finding(
                DIFFERENT,
                f"The {what} of Fig. 8's four ({family.title}) is that {best}, in the paper that {own}; "
                "likely because the mesh before averaging is all but free where Eq. 3 stands before the "
                "loss: the network learns a mesh that is right only once averaged.",
            )
    for name, whose in (
        (BASE, "HMNet's mesh"),
        (UNREGULARISED, "the mesh of the network trained without it"),
    ):
        yield Finding(NOTE, f"Averaging {whose} ({family.title}): {_effect(errors[name])}.")


def _effect(row: Mapping[str, float]) -> str:
    change = row[SURFACE] - row["raw surface"]
    rough = row["raw roughness"] / max(row["roughness"], 1e-9)
    smoother = f"{rough:.1f} times smoother" if rough >= 1 else "no smoother"
    if abs(change) < LITTLE:
        return f"{smoother}, and the surface error stays"
    return f"{smoother}, and the surface error {'falls' if change < 0 else 'rises'} by {abs(change):.1f} mm"


def _noise(family: Family) -> Iterable[Finding]:
    """Fig. 4: what badly fitted meshes cost a network with the true joints' loss and one without."""
    pairs = (("hmnet-noisy", BASE), ("single-task-noisy", "single-task"))
    if not {name for pair in pairs for name in pair} <= family.configs.keys():
        return
    both, single = (
        {key: family.errors[noisy][key] - family.errors[clean][key] for key in (SURFACE, JOINT)}
        for noisy, clean in pairs
    )
    sentence = (
        f"Badly fitted meshes in training ({family.title}, one training each) cost {both[SURFACE]:+.1f} mm "
        f"of surface and {both[JOINT]:+.1f} mm of joint error with the true joints' loss, and "
        f"{single[SURFACE]:+.1f} and {single[JOINT]:+.1f} mm without it"
    )
    if all(both[key] < HELPED * single[key] for key in (SURFACE, JOINT)):
        yield Finding(SAME, f"{sentence}: true joints make up for some of it, as in Fig. 4.")
    else:
        yield Finding(
            DIFFERENT,
            f"{sentence}: no clear help from the true joints here, where Fig. 4 shows one; likely because "
            "L_S still pulls the surface, and with it the joints regressed from it, to the bad meshes.",
        )


def _doubts(family: Family) -> Iterable[Finding]:
    """Where recorded errors cannot be compared: all variants share a segmenter, so on the same pictures their
    part maps have the same IoU, and the Oracle's 1."""
    own = family.error(BASE, "part mean IoU")
    for name, row in family.errors.items():
        title, iou = VARIANTS[name].title, row["part mean IoU"]
        if VARIANTS[name].parts == "true":
            if iou < 1:
                yield Finding(
                    NOTE, f"{title} ({family.title}) was measured with predicted part maps: record it anew."
                )
        elif own is not None and iou != own:
            yield Finding(
                NOTE,
                f"{title} ({family.title}) was not measured on HMNet's test pictures (other part IoU): "
                "record both anew.",
            )


def _number(value: int | None) -> str:
    return "an unrecorded number of" if value is None else f"{value:,}"
