"""How fast the networks are: peers to measure against, and the measuring; see `hmnet.benchmark`."""
