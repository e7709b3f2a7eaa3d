"""How is a run shown on a terminal while it goes? A tree of its steps, with logs going by above it."""
from penstock.cli.plain import PlainShow as LiveShow
