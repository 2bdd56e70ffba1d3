"""``make demo``: every process of the demo, started together and ended together."""
