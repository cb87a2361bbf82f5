"""The paper's figures, measured and drawn anew: one file a figure, and what they share."""
