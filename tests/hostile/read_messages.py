"""Messages of browsers and programs, answered as the page answers them; predictors find nobody."""

import json
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qsl

import gradio as gr
import numpy as np

from demo import link, motion, photo_events, report_page, saving, session
from demo.api import endpoints
from demo.hands import Hands, Networks
from demo.lessons import Lessons
from hmnet.body import load_body
from hmnet.errors import HMNetError, NoPersonFoundError
from hmnet.image import read_image
from hmnet.person_box import check_box

BODY = load_body()
SIZE = 640, 480
"""(width, height) px of the photo that boxes and points are of."""
OPTIONS = {"iterations", "strength", "operator"}
CONTROLS = (True, "average", 1, 1.0, "auto", False, None, False, [], False, 0.0)
"""Values of the lessons' controls."""


class Nobody:
    """A predictor that checks what it is asked, as the real one does, and finds nobody."""

    body = BODY

    def predict(self, image: object, box: object = None) -> None:
        photo = read_image(image)
        if box is not None:
            check_box(box, photo.shape[1::-1])
        raise NoPersonFoundError("No person was found in the photo: try one that shows a whole person.")


MODELS = SimpleNamespace(predictor=Nobody())
REGULARISE = endpoints(Networks(MODELS, Hands(None)))["regularise"]
LIVE = motion.Live(MODELS.predictor)
SESSION = SimpleNamespace(
    prediction=SimpleNamespace(
        image=np.zeros((*SIZE[::-1], 3), np.uint8),
        photo_size=SIZE,
        box=np.array([0.0, 0, 9, 9]),
        people=(
            SimpleNamespace(box=np.array([20.0, 20, 60, 60])),
            SimpleNamespace(box=np.array([0.0, 0, 99, 99])),
        ),
    ),
    example=None,
)


def camera(data: bytes, folder: Path) -> None:
    answer = LIVE.answer(json.loads(data))
    json.dumps(answer, allow_nan=False)
    if "problem" in answer:
        raise HMNetError(answer["problem"])


def regularise(data: bytes, folder: Path) -> None:
    """The endpoint's answer, which must be JSON; Gradio lets no other arguments through."""
    message = json.loads(data)
    message = message if isinstance(message, dict) else {"vertices": message}
    arguments = {name: message.get(name) for name in ("vertices", *(message.keys() & OPTIONS))}
    try:
        json.dumps(REGULARISE(**arguments), allow_nan=False)
    except gr.Error as error:
        raise HMNetError(str(error.message)) from error


def box(data: bytes, folder: Path) -> None:
    check_box(photo_events.dragged_box(json.loads(data)), SIZE)


def point(data: bytes, folder: Path) -> None:
    session.choose(MODELS, SESSION, photo_events.chosen_point(json.loads(data)))


def link_query(data: bytes, folder: Path) -> None:
    """What a link says must be said again by the link that is made of it."""
    message = json.loads(data)
    message = message if isinstance(message, dict) else {"view": message}
    asked = {name: str(value) for name, value in message.items()}
    settings = link.settings_of(asked)
    again = link.settings_of(dict(parse_qsl(link.query(asked), keep_blank_values=True)))
    if again != settings:
        raise AssertionError(f"{settings} became {again}")


def save(data: bytes, folder: Path) -> None:
    message = json.loads(data)
    message = message if isinstance(message, dict) else {"picture": message, "view": message}
    png = saving.picture_of(message.get("picture"))
    if png is not None:
        report_page.picture(png, "A picture")
    link.query(Lessons.linked(CONTROLS, "body", "beach-1", link.view_state(message.get("view"))))
