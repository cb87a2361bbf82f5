"""The networks of hands beside those of people: there or not, and loaded when they are first asked for."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from demo.bodies import LEFT_HAND
from demo.examples import FOLDER, Example, load_examples
from demo.session import Models, Session
from hmnet.body import BodyTemplate
from hmnet.body.hand import SIDES, hand_template
from hmnet.checkpoint import EMBEDDED, HAND_VARIANT, load_checkpoint, variants_of
from hmnet.comparison import Comparison
from hmnet.config import HANDS
from hmnet.errors import CheckpointError, DataError, told
from hmnet.hand_predictor import predictor_of

BODY, HAND = "body", "hand"
"""Modes: what is reconstructed."""
EXAMPLES = FOLDER / "hands"
NO_HANDS = "There are no weights of hands here: the page reconstructs people only."


class Hands:
    """What the page has of hands; threads may share it.

    examples: rendered hands whose truth is known.
    """

    def __init__(self, load: Callable[[], Models] | None, examples: tuple[Example, ...] = ()) -> None:
        """load: makes the networks, once; None where there are no weights."""
        self.examples = examples if load else ()
        self._load, self._models, self._lock = load, None, threading.Lock()

    @property
    def there(self) -> bool:
        """Whether there are weights of hands."""
        return self._load is not None

    @property
    def models(self) -> Models:
        """The networks; the first call takes a second or two. Raises CheckpointError where they cannot be
        had."""
        if self._load is None:
            raise CheckpointError(NO_HANDS)
        with self._lock:
            self._models = self._models or self._load()
            return self._models


class Networks:
    """The networks of people and of hands, by what is asked for."""

    def __init__(self, people: Models, hands: Hands) -> None:
        self.people, self.hands = people, hands

    @property
    def has_hands(self) -> bool:
        """Whether hands can be asked for."""
        return self.hands.there

    def of(self, mode: str) -> Models:
        """Those of `BODY` or `HAND`. Raises CheckpointError where those of hands cannot be had."""
        return self.hands.models if mode == HAND else self.people

    def shown(self, session: Session) -> Models:
        """Those that the session's answer is of."""
        return self.of(mode_of(session))

    @property
    def bodies(self) -> dict[str, BodyTemplate]:
        """All that may be shown, by `Session.body_name`; what is shown first comes first."""
        body = self.people.predictor.body
        hands = {"hand": hand_template(), LEFT_HAND: hand_template("left")} if self.has_hands else {}
        return {body.name: body, **hands}


def mode_of(session: Session) -> str:
    """What the session shows: `BODY` or `HAND`."""
    return HAND if session.body.one_sided else BODY


def find_hands(
    source: str | None = None, device: str | None = None, engine: str | None = None, examples: Path = EXAMPLES
) -> Hands:
    """Hands by the embedded weights, where there are any, or by those of a folder.

    device, engine: as `hmnet.predictor.Predictor` takes them. Raises CheckpointError for a folder without a
    checkpoint of hands.
    """
    # Looked into without loading: the weights wait until somebody wants them.
    if source is None:
        if not _has_hands(EMBEDDED):
            return Hands(None)
    elif not Path(source).is_dir() or not _has_hands(Path(source)):
        raise CheckpointError(
            f"There is no checkpoint of hands in {told(source)}: give a folder that has one."
        )

    def load() -> Models:
        checkpoint = load_checkpoint(source or EMBEDDED, HAND_VARIANT)
        if source is None:
            checkpoint = replace(checkpoint, info=replace(checkpoint.info, source="embedded"))
        predictor = predictor_of(checkpoint, device, engine=engine)
        return Models(predictor, Comparison(predictor))

    return Hands(load, load_examples(examples))


def _has_hands(folder: Path) -> bool:
    """Whether there is a checkpoint of a hand among those of a folder."""
    forms = [config.get("model") for _, config in variants_of(folder).values()]
    return any(isinstance(form, dict) and form.get("body") in HANDS for form in forms)


def checked_side(side: object) -> str | None:
    """ "left" or "right" as asked for, None for "found"; DataError for anything else."""
    if side in (None, "found"):
        return None
    if side not in SIDES:
        raise DataError(f"Unknown side {told(repr(side))} of a hand: choose found, left or right.")
    return side
