"""The model card says what config.json says, and what is not recorded is not invented."""

import json

from hmnet.model_card import write_model_card

CONFIG = {
    "variant": "hmnet",
    "revision": "abc1234",
    "model": {"body": "anny"},
    "data": {
        "segmenter": {"images": 59384, "steps": 1954},
        "pictures": {
            "count": 30500,
            "seed": 7,
            "backgrounds": "photographs",
            "poses": ["cmu"],
            "shards": 122,
        },
        "sources": ["photographs: somebody's, research use only"],
    },
    "metrics": {"surface": 167.2, "person IoU": 0.776},
}


def card_of(folder, config) -> str:
    (folder / "config.json").write_text(json.dumps(config))
    write_model_card(folder)
    return (folder / "README.md").read_text()


def test_data_sources_and_errors_are_named(tmp_path):
    card = card_of(tmp_path, CONFIG)
    assert card.startswith("---\nlicense: apache-2.0\n") and "abc1234" in card
    assert "59,384 images in 1,954 steps" in card and "30,500 rendered pictures, seed 7" in card
    assert "backgrounds: photographs; poses: cmu; clothes: none" in card
    assert "research use only" in card and "| surface | 167.2 |" in card


def test_a_hand_s_card_is_about_hands(tmp_path):
    recipe = CONFIG["data"]["pictures"] | {"body": "hand"}
    more = {"variant": "hand-single-task", "base": "hand", "model": {"body": "hand"}}
    card = card_of(tmp_path, CONFIG | more | {"data": {"pictures": recipe}, "metrics": {"F@5": 0.5}})
    assert "one photo of a hand" in card and "MediaPipe's hand landmark network" in card
    assert "- hand-pose-estimation" in card and "human-pose" not in card and "MoveNet" not in card
    assert 'load_checkpoint("FOLDER OR USER/REPO", "hand-single-task")' in card and "variant hand," in card
    assert "hmnet generate --body hand`" in card and "F-scores" in card
    assert "F-scores" not in card_of(tmp_path, CONFIG)


def test_what_is_not_recorded_is_not_invented(tmp_path):
    card = card_of(tmp_path, {k: v for k, v in CONFIG.items() if k not in ("data", "metrics")})
    assert "Not recorded." in card and "Measured" not in card


def test_every_folder_of_pictures_has_its_line(tmp_path):
    recipes = [{"shards": 2, "seed": seed} for seed in (1, 2)]
    card = card_of(tmp_path, CONFIG | {"data": {"pictures": recipes}})
    assert card.count("2 shards of rendered pictures") == 2 and "seed 2" in card
