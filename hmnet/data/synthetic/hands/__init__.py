"""Rendered hands: what fingers do, what they hold, and the pictures of it."""
