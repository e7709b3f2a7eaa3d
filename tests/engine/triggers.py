"""When does a node of a dag begin? Airflow's trigger rules, written down a second time as sentences about statuses."""

from __future__ import annotations

from collections.abc import Sequence

GOOD = ("success", "warning")
BAD = ("failed", "killed", "cancelled")


def decided(rule: str, needed: Sequence[str], setups: Sequence[str]) -> str:
    """What becomes of a node once all that it needs have ended: it begins, or is skipped or cancelled."""
    good = sum(status in GOOD for status in needed)
    bad = sum(status in BAD for status in needed)
    failed = sum(status in ("failed", "killed") for status in needed)
    skipped = sum(status == "skipped" for status in needed)
    if not needed or rule in ("always", "all_done"):
        return "begin"
    if rule == "all_success":
        return "cancelled" if bad else "skipped" if skipped else "begin"
    if rule == "all_failed":
        return "begin" if bad == len(needed) else "skipped"
    if rule == "all_skipped":
        return "begin" if skipped == len(needed) else "skipped"
    if rule == "one_success":
        return "begin" if good else "cancelled" if bad else "skipped"
    if rule == "one_failed":
        return "begin" if bad else "skipped"
    if rule == "one_done":
        return "begin" if good + failed else "skipped"
    if rule == "none_failed":
        return "cancelled" if bad else "begin"
    if rule == "none_failed_min_one_success":
        return "cancelled" if bad else "begin" if good else "skipped"
    if rule == "none_skipped":
        return "skipped" if skipped else "begin"
    if rule == "all_done_min_one_success":
        return "skipped" if skipped else "begin" if good else "cancelled"
    assert rule == "all_done_setup_success", rule
    if not setups or any(status in GOOD for status in setups):
        return "begin"
    return "cancelled" if any(status in BAD for status in setups) else "skipped"


def may_begin(rule: str, needed: Sequence[str], setups: Sequence[str]) -> bool:
    """May a node begin when those that it needs stand so? Some of them may still be `open` or `waiting`."""
    ended = [status for status in needed if status in (*GOOD, *BAD, "skipped")]
    if rule == "always" or not needed:
        return True
    if rule == "one_success" and any(status in GOOD for status in ended):
        return True
    if rule == "one_failed" and any(status in BAD for status in ended):
        return True
    if rule == "one_done" and any(status in (*GOOD, "failed", "killed") for status in ended):
        return True
    return len(ended) == len(needed) and decided(rule, needed, setups) == "begin"
