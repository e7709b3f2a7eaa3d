"""Which runs of other flows does a trigger wait for, and in which time? Three ways of writing it, one value."""

from __future__ import annotations

from functools import partial
from typing import Final, TypeAlias

from penstock.dialects.kestra import fields
from penstock.dialects.kestra.conditions import UPSTREAM, flat, one, quoted, states, when
from penstock.dialects.kestra.page import Page, key_of, tell
from penstock.dialects.kestra.schedules import readable
from penstock.dialects.kestra.tree import Map
from penstock.engine.recurrence import check_zone
from penstock.errors import Severity
from penstock.errors.flow import Deprecated, MissingProperty, NothingToDo, NotSupported, WrongValue
from penstock.model.trigger import Condition, Upstream, Window, WindowKind

Waits: TypeAlias = tuple[tuple[Upstream, ...], Window, bool]
KINDS: Final = {
    "DURATION_WINDOW": WindowKind.SPAN,
    "SLIDING_WINDOW": WindowKind.SLIDING,
    "DAILY_TIME_DEADLINE": WindowKind.DEADLINE,
    "DAILY_TIME_WINDOW": WindowKind.DAILY,
}
FIELDS: Final = {"FLOW_ID": UPSTREAM.flow, "NAMESPACE": UPSTREAM.namespace, "STATE": UPSTREAM.state}
ONE: Final = {
    "EQUAL_TO": "{0} == {1}",
    "NOT_EQUAL_TO": "{0} != {1}",
    "STARTS_WITH": "{0} | startsWith({1})",
    "ENDS_WITH": "{0} | endsWith({1})",
    "CONTAINS": "{0} contains {1}",
    "REGEX": "({0} | regexMatch({1}))",
}
MANY: Final = {"IN": ("{0} == {1}", " or "), "NOT_IN": ("{0} != {1}", " and ")}
BARE: Final = {
    "IS_TRUE": "{0}",
    "IS_FALSE": "not ({0})",
    "IS_NULL": "({0}) is null",
    "IS_NOT_NULL": "({0}) is not null",
}


def multiple(page: Page, tree: Map) -> Waits:
    """A condition made of several, each of which some run must meet."""
    windows = ("timeWindow", "window", "windowAdvance", "resetOnSuccess", "minSatisfied")
    own = ("id", "type", "conditions", "description", *windows)
    if page.version == "2":
        sentence = "A MultipleCondition is gone in version 2; it still works."
        tell(page, Deprecated, tree, sentence, "`dependsOn` takes its place.", Severity.NOTE)
    fields.known(page, tree, own, "A MultipleCondition")
    fields.needed(page, tree, "id", "A MultipleCondition")
    fields.needed(page, tree, "conditions", "A MultipleCondition")
    named = fields.mapping(page, tree, "conditions")
    found = []
    for name, item in named.entries.items() if named else ():
        if not isinstance(item, Map):
            fields.wrong(page, item, name, "a condition")
            continue
        made = one(page, item, UPSTREAM)
        found.append(Upstream(name=name, when=flat((made,)) if made else ()))
    return tuple(found), _window(page, tree), fields.flag(page, tree, "resetOnSuccess", True)


def preconditions(page: Page, tree: Map) -> Waits:
    """Flows, and filters on runs, each of which some run must meet."""
    inner = fields.mapping(page, tree, "preconditions")
    if inner is None:
        return (), Window(), True
    fields.known(
        page, inner, ("id", "timeWindow", "resetOnSuccess", "flows", "where", "description"), "`preconditions`"
    )
    fields.needed(page, inner, "id", "`preconditions`")
    waits = [_flow(page, item, ("SUCCESS", "WARNING")) for item in fields.maps(page, inner, "flows", "A flow")]
    waits += [_where(page, item) for item in fields.maps(page, inner, "where", "A filter")]
    if not waits:
        tell(page, NothingToDo, key_of(tree, "preconditions"), '`preconditions` need "flows", "where" or both.')
    return tuple(waits), _window(page, inner), fields.flag(page, inner, "resetOnSuccess", True)


def depends_on(page: Page, tree: Map) -> tuple[tuple[Upstream, ...], Window, int]:
    """What version 2 has in place of preconditions; gives also how many of the flows are enough (0: all)."""
    waits = [_flow(page, item, ()) for item in fields.maps(page, tree, "dependsOn", "A flow")]
    mode = fields.choice(page, tree, "mode", ("ALL", "ANY", "AT_LEAST"), "ALL")
    least = {"ALL": 0, "ANY": 1}.get(mode)
    if least is None:
        fields.needed(page, tree, "minSatisfied", "The mode AT_LEAST")
        least = fields.whole(page, tree, "minSatisfied", least=1) or 1
        if least > len(waits):
            tell(page, WrongValue, key_of(tree, "minSatisfied"), f"There are {len(waits)} flows, and {least} must run.")
    if "onMiss" in tree.entries:
        tell(page, NotSupported, tree.keys["onMiss"], '"onMiss" is not supported yet.')
    return tuple(waits), _newer_window(page, tree), least


def _flow(page: Page, tree: Map, default: tuple[str, ...]) -> Upstream:
    fields.known(page, tree, ("namespace", "flowId", "states", "labels", "when", "id"), "A flow that is waited for")
    fields.needed(page, tree, "namespace", "A flow that is waited for")
    namespace, flow = fields.text(page, tree, "namespace"), fields.text(page, tree, "flowId")
    tests = [f"{UPSTREAM.namespace} == {quoted(namespace)}"] + ([f"{UPSTREAM.flow} == {quoted(flow)}"] if flow else [])
    wanted = states(page, tree, "states") or default
    if wanted:
        tests.append(f"({' or '.join(f'{UPSTREAM.state} == {quoted(word)}' for word in wanted)})")
    made = [Condition(test=f"{{{{ {' and '.join(tests)} }}}}")]
    if fields.given(tree, "labels") is not None:
        labelled = one(page, _as_condition(tree), UPSTREAM)
        made += [labelled] if labelled else []
    return Upstream(name=f"{namespace}.{flow}" if flow else namespace, when=(*made, *when(page, tree, UPSTREAM)))


def _as_condition(tree: Map) -> Map:
    """The labels of a flow that is waited for, written as the condition that asks for them."""
    kind = fields.NOTHING.__class__(tree.line, tree.column, "ExecutionLabels", "ExecutionLabels")
    return Map(tree.line, tree.column, {"type": kind, "labels": tree.entries["labels"]}, tree.keys)


def _where(page: Page, tree: Map) -> Upstream:
    fields.known(page, tree, ("id", "operand", "filters"), "A filter")
    fields.needed(page, tree, "id", "A filter")
    tests = tuple(_filter(page, item) for item in fields.maps(page, tree, "filters", "An entry of `filters`"))
    any_of = fields.choice(page, tree, "operand", ("AND", "OR"), "AND") == "OR"
    made = Condition(any_of=tests) if any_of else Condition(all_of=tests)
    return Upstream(name=fields.text(page, tree, "id"), when=flat((made,)))


def _filter(page: Page, tree: Map) -> Condition:
    owner = "An entry of `filters`"
    fields.known(page, tree, ("field", "type", "value", "values"), owner)
    about = fields.choice(page, tree, "field", (*FIELDS, "EXPRESSION"), "EXPRESSION")
    kind = fields.choice(page, tree, "type", (*ONE, *MANY, *BARE), "EQUAL_TO")
    if about == "EXPRESSION":
        text = fields.template(page, tree, "value", "", UPSTREAM.sort).strip()
        whole = text.removeprefix("{{").removesuffix("}}").strip() if text.startswith("{{") else quoted(text)
        return Condition(test=f"{{{{ {BARE.get(kind, '{0}').format(whole)} }}}}")
    left = FIELDS[about]
    if kind in MANY:
        fields.needed(page, tree, "values", owner)
        form, joint = MANY[kind]
        return Condition(
            test=f"{{{{ {joint.join(form.format(left, quoted(v)) for v in fields.texts(page, tree, 'values'))} }}}}"
        )
    if kind in BARE:
        return Condition(test=f"{{{{ {BARE[kind].format(left)} }}}}")
    fields.needed(page, tree, "value", owner)
    return Condition(test=f"{{{{ {ONE[kind].format(left, quoted(fields.text(page, tree, 'value')))} }}}}")


def _window(page: Page, tree: Map) -> Window:
    found = fields.mapping(page, tree, "timeWindow")
    if found is None:
        # The older way: a length, and by how much spans of it are moved.
        length, advance = fields.duration(page, tree, "window"), fields.duration(page, tree, "windowAdvance")
        return Window(length=length, advance=advance)
    own = ("type", "window", "windowAdvance", "deadline", "startTime", "endTime")
    fields.known(page, found, own, "`timeWindow`")
    kind = KINDS[fields.choice(page, found, "type", tuple(KINDS), "DURATION_WINDOW")]
    needed = {
        WindowKind.SLIDING: ("window",),
        WindowKind.DEADLINE: ("deadline",),
        WindowKind.DAILY: ("startTime", "endTime"),
    }
    for name in needed.get(kind, ()):
        if fields.given(found, name) is None:
            tell(page, MissingProperty, key_of(found, name), f'A time window of this type needs the property "{name}".')
    return Window(
        kind=kind,
        length=fields.duration(page, found, "window"),
        advance=fields.duration(page, found, "windowAdvance"),
        begin=fields.text(page, found, "startTime"),
        end=fields.text(page, found, "endTime") or fields.text(page, found, "deadline"),
    )


def _newer_window(page: Page, tree: Map) -> Window:
    found = fields.mapping(page, tree, "window")
    if found is None:
        return Window()
    fields.known(page, found, ("deadline", "from", "to", "every", "offset", "lookback", "timezone"), "`window`")
    around = fields.text(page, found, "timezone")
    if around:
        readable(page, found.entries["timezone"], partial(check_zone, around))
    end, begin = fields.text(page, found, "to"), fields.text(page, found, "from")
    if fields.given(found, "deadline") is not None:
        return Window(kind=WindowKind.DEADLINE, end=fields.text(page, found, "deadline"), timezone=around)
    if begin or end:
        return Window(kind=WindowKind.DAILY, begin=begin, end=end, timezone=around)
    if fields.given(found, "lookback") is not None:
        return Window(kind=WindowKind.SLIDING, length=fields.duration(page, found, "lookback"))
    length, advance = fields.duration(page, found, "every"), fields.duration(page, found, "offset")
    return Window(length=length, advance=advance, timezone=around)
