"""What follows from what happened? Pure decisions: (what is loaded of a run, event, now) in, Decision out."""

from penstock.engine.advance import advance
from penstock.engine.decision import Decision
from penstock.engine.fault import give_up
from penstock.engine.loaded import Loaded, NotLoaded
from penstock.engine.replay import keep

__all__ = ["Decision", "Loaded", "NotLoaded", "advance", "give_up", "keep"]
