"""How is a run's story told? Event by event: when, what happened, what became of which step and why, the waits."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

import click
import msgspec
from msgspec.structs import replace

from penstock.cli.ending import Exit
from penstock.cli.options import Given, examples, json_too, opened, places
from penstock.cli.remote.aim import served
from penstock.cli.said import as_json, data, span
from penstock.cli.suggest import run_ids
from penstock.cli.tree import SIGNS
from penstock.cli.which import run_id
from penstock.services.explain import Chapter, Decided, Story, Waited, explain

# Of steps that became the same for the same reason more than this are counted, not named.
MANY: Final = 4
INDENT: Final = " " * 16


class ExplainGiven(Given, frozen=True, kw_only=True):
    """What `runs explain` was given."""

    run: str
    step: str = ""


@click.command(
    "explain",
    **examples(
        "penstock runs explain last",
        "penstock runs explain last load             one step, with the groups around it",
        "penstock runs explain last 'each[3]/load' --json",
    ),
)
@click.argument("run", metavar="ID|last", shell_complete=run_ids)
@click.argument("step", required=False, default="")
@json_too
@places
@served("penstock.cli.remote.runs:explain")
def tell(**given: Any) -> int:
    """Tell why a run went as it went, event by event: what happened, what was decided by which rule, what was waited
    for. With STEP only what concerns that step.
    """
    asked = msgspec.convert(given, ExplainGiven)
    with opened(asked) as app:
        return tell_story(explain(app.core, run_id(app, asked.run), asked.step), wants_json=asked.json)


def tell_story(story: Story, *, wants_json: bool) -> int:
    """Tell why a run went as it went."""
    if wants_json:
        as_json(story)
    else:
        data("\n".join(page(story)))
    return Exit.SUCCESS


def page(story: Story) -> Iterator[str]:
    """The lines of a story."""
    what = f', step "{story.step}": {_word(story.step_status)}' if story.step else ""
    yield f"run {story.run} of {story.namespace}.{story.flow} (revision {story.revision}): {_word(story.status)}{what}"
    began = story.chapters[0].at if story.chapters else 0
    before = began
    for chapter in story.chapters:
        yield ""
        yield from _chapter(chapter, before)
        before = chapter.at


def _chapter(chapter: Chapter, before: int) -> Iterator[str]:
    at = datetime.datetime.fromtimestamp(chapter.at / 1e6, datetime.UTC).isoformat(timespec="milliseconds")[11:23]
    refused = "" if chapter.accepted else click.style("  refused: the claim was not its worker's any more", fg="yellow")
    later = f"{'+' if chapter.at >= before else '-'}{span(abs(chapter.at - before) / 1e6)}"
    yield f"{at}  {click.style(later, dim=True)}  {click.style(chapter.happened, bold=True)}{refused}"
    if chapter.worked is not None:
        late = f", told {span(chapter.told_after / 1e6)} after it" if chapter.told_after else ""
        yield f"{INDENT}{click.style(f'worked {span(chapter.worked / 1e6)}{late}', dim=True)}"
    if chapter.folded_after is not None:
        yield f"{INDENT}{click.style(f'decided upon {span(chapter.folded_after / 1e6)} later, or more', dim=True)}"
    yield from _decided(chapter.decided)
    for _, same in groupby(chapter.waited, lambda one: (one.what, one.micros)):
        yield from _waited(list(same))


def _decided(every: tuple[Decided, ...]) -> Iterator[str]:
    """Each step in its order; of many that became the same for the same reasons the first ones, and a count."""
    alike = Counter(replace(one, step="") for one in every)
    shown: Counter[Decided] = Counter()
    for one in every:
        kind = replace(one, step="")
        shown[kind] += 1
        if shown[kind] <= MANY:
            yield f"{INDENT}{one.step or 'the run'}{_became(one)}"
        elif shown[kind] == alike[kind]:
            yield f"{INDENT}… {one.step}, and {alike[kind] - MANY - 1:,} more before it{_became(one)}"


def _became(one: Decided) -> str:
    text = ""
    if one.new and one.old == one.new:
        text = f"  {_word(one.new)} again"
    elif one.new:
        text = f"  {f'{_word(one.old)} → ' if one.old else '→ '}{_word(one.new)}"
    if one.new == "queued" and one.attempt:
        text += f" (attempt {one.attempt})"
    return f"{text}  because {'; '.join(one.because)}" if one.because else text


def _waited(same: list[Waited]) -> Iterator[str]:
    first = same[0]
    names = ", ".join(one.step or "the run" for one in same[:MANY])
    more = f" and {len(same) - MANY:,} more" if len(same) > MANY else ""
    how_long = "waits" if first.micros is None else f"waited {span(first.micros / 1e6)}"
    yield f"{INDENT}{click.style(f'{names}{more} {how_long} for {first.what}', dim=True)}"


def _word(status: str) -> str:
    return click.style(status, fg=SIGNS.get(status, ("", "white"))[1])
