"""Limits that a test can reach."""

from demo.serving.limits import MEGABYTE, Limits

LIMITS = Limits(
    at_once=1, waiting=3, per_visitor=2, others_waiting=20, sessions=20, uploads=4,
    upload_bytes=2 * MEGABYTE, body_bytes=MEGABYTE, seconds=3.0, free_bytes=0,
)  # fmt: skip
