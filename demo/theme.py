"""How the page looks and what its server may hand out: theme, styles, launch options."""

from pathlib import Path
from typing import Any

import gradio as gr

from demo.examples import FOLDER
from hmnet.figure_sections import FIGURES

FOLDER_OF_STYLES = Path(__file__).parent
STYLES = ("style.css", "photo_view.css", "viewer.css", "explain.css", "motion.css")
FONTS = ("Inter", "ui-sans-serif", "system-ui", "Segoe UI", "Roboto", "sans-serif")
MONO_FONTS = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")
"""Plain names only: a `gr.themes.GoogleFont` would ask an outside host."""


def launch_options(examples_folder: Path = FOLDER) -> dict[str, Any]:
    """Keyword arguments of `Blocks.launch` that belong to the page: theme, style, files it may serve."""
    theme = gr.themes.Base(
        primary_hue="teal", secondary_hue="teal", neutral_hue="slate", radius_size="md",
        font=FONTS, font_mono=MONO_FONTS,
    ).set(
        # Darker than Gradio's own: text and buttons keep a contrast of 4.5 to 1 and more.
        body_text_color_subdued="*neutral_600", body_text_color_subdued_dark="*neutral_400",
        block_label_text_color="*neutral_700", block_label_text_color_dark="*neutral_200",
        button_primary_background_fill="*primary_700", button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700", button_primary_text_color="white",
    )  # fmt: skip
    return {
        "theme": theme,
        "css_paths": [FOLDER_OF_STYLES / name for name in STYLES],
        "allowed_paths": [str(examples_folder), str(FIGURES)],
        "ssr_mode": False,
        "mcp_server": True,
        "footer_links": ["api", "settings"],
    }
