"""How does text become a tree with positions? YAML's events, walked with a stack that limits depth and size."""

from __future__ import annotations

from typing import Final, Protocol

import yaml

from penstock.dialects.kestra.refusals import QUOTES, TOP, place_at, told, unreadable
from penstock.dialects.kestra.scalars import resolve
from penstock.dialects.kestra.tree import Items, Map, Plain, Scalar, Tree
from penstock.errors import Place
from penstock.errors.flow import BadAlias, DuplicateKey, NoFlow, NotYaml, SeveralDocuments, TooLarge
from penstock.errors.problem import Problem

LONGEST: Final = 10 * 1024 * 1024
DEEPEST: Final = 100
MOST: Final = 200_000
MOST_PROBLEMS: Final = 200
CORE: Final = "tag:yaml.org,2002:"


class Events(Protocol):
    """What of YAML's parser is used."""

    def get_event(self) -> object:
        """The next event, None after the last."""


class Open:
    """A list or map that is not closed yet; `height` and `size` count what is in it, aliases at their full weight."""

    __slots__ = ("anchor", "column", "entries", "flow", "height", "items", "key", "keys", "line", "merges", "size")

    def __init__(self, event: yaml.CollectionStartEvent, is_map: bool) -> None:
        place = _place(event)
        self.line = place.line
        self.column = place.column
        self.anchor: str | None = event.anchor
        self.flow = bool(event.flow_style)
        self.items: list[Tree] | None = None if is_map else []
        self.entries: dict[str, Tree] = {}
        self.keys: dict[str, Scalar] = {}
        self.key: Scalar | None = None
        self.merges: list[Tree] = []
        self.height = 0
        self.size = 1


def parse(text: str, problems: list[Problem]) -> Tree:
    """Read one document; a key said twice is noted and reading goes on, all else that is wrong raises a FlowError."""
    if len(text) > LONGEST:
        raise TooLarge(f"The text has {len(text):,} characters; a flow may have {LONGEST:,}.", hint=TOO_LONG, place=TOP)
    try:
        return _Walk(yaml.CSafeLoader(text) if yaml.__with_libyaml__ else yaml.SafeLoader(text), problems).document()
    except yaml.reader.ReaderError as error:
        raise unreadable(error, text) from None
    except yaml.MarkedYAMLError as error:
        raise told(error, text) from None
    except UnicodeEncodeError as error:
        place = place_at(text, error.start)
        raise NotYaml("The text has half of a character in it (a lone surrogate).", place=place) from None


TOO_LONG: Final = "Keep data and long scripts in files of their own (`inputFiles`, `namespaceFiles`)."
ALIASES: Final = "Aliases repeat what they name each time they are used."


class _Walk:
    """The walk over one document's events; opened by a parser, closed at the document's end."""

    def __init__(self, events: Events, problems: list[Problem]) -> None:
        self.events = events
        self.problems = problems
        self.stack: list[Open] = []
        self.anchors: dict[str, tuple[Tree, int, int]] = {}
        self.count = 0

    def document(self) -> Tree:
        """The tree of the only document."""
        get = self.events.get_event
        get()
        if isinstance(get(), yaml.StreamEndEvent):
            raise NoFlow("The text is empty.", place=TOP)
        tree = self.root()
        get()
        more = get()
        if not isinstance(more, yaml.StreamEndEvent):
            raise SeveralDocuments("A second document begins here.", place=_place(more))
        return tree

    def root(self) -> Tree:
        """The tree up to the end of its document."""
        get = self.events.get_event
        while True:
            event = get()
            kind = type(event)
            tree: Tree
            size, height = 1, 0
            self.count += 1
            if self.count > 2 * MOST:
                raise TooLarge(f"The flow has more than {MOST:,} parts.", place=_place(event))
            if kind is yaml.ScalarEvent:
                assert isinstance(event, yaml.ScalarEvent)
                tree = _scalar(event)
                anchor = event.anchor
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                assert isinstance(event, yaml.CollectionStartEvent)
                self.open(event)
                continue
            elif kind is yaml.AliasEvent:
                assert isinstance(event, yaml.AliasEvent)
                tree, size, height = self.named(event)
                anchor = None
            else:
                done = self.stack.pop()
                tree, size, height, anchor = self.closed(done), done.size, done.height, done.anchor
            if anchor is not None:
                self.anchors[anchor] = (tree, size, height)
            if not self.stack:
                return tree
            self.put(tree, size, height)

    def open(self, event: yaml.CollectionStartEvent) -> None:
        """A list or map begins."""
        is_map = type(event) is yaml.MappingStartEvent
        _check_tag(event.tag, event)
        if self.stack:
            outer = self.stack[-1]
            if outer.items is None and outer.key is None:
                braces = is_map and event.flow_style and outer.flow
                raise NotYaml("A key can be no map or list.", hint=QUOTES if braces else "", place=_place(event))
        if len(self.stack) >= DEEPEST:
            raise TooLarge(f"Lists and maps are nested deeper than {DEEPEST} levels here.", place=_place(event))
        if event.anchor is not None:
            self.anchors.pop(event.anchor, None)
        self.stack.append(Open(event, is_map))

    def named(self, event: yaml.AliasEvent) -> tuple[Tree, int, int]:
        """What an alias stands for, with its size and height."""
        name = event.anchor
        if name in self.anchors:
            tree, size, height = self.anchors[name]
            if len(self.stack) + height > DEEPEST:
                raise TooLarge(f"The alias *{name} nests deeper than {DEEPEST} levels.", place=_place(event))
            return tree, size, height
        if any(around.anchor == name for around in self.stack):
            raise BadAlias(
                f"The alias *{name} stands within what it names, so it would never end.", place=_place(event)
            )
        hint = f"It is given by `&{name}` in front of a value further up."
        raise BadAlias(f"The alias *{name} names nothing.", hint=hint, place=_place(event))

    def put(self, tree: Tree, size: int, height: int) -> None:
        """Add a part to the list or map that is open."""
        outer = self.stack[-1]
        outer.size += size
        if outer.size > MOST:
            raise TooLarge(f"The flow has more than {MOST:,} parts.", hint=ALIASES, place=Place(tree.line, tree.column))
        if height >= outer.height:
            outer.height = height + 1
        if outer.items is not None:
            outer.items.append(tree)
        elif outer.key is None:
            if not isinstance(tree, Scalar):
                raise NotYaml("A key can be no map or list.", place=Place(tree.line, tree.column))
            outer.key = tree
        else:
            self.entry(outer, outer.key, tree)
            outer.key = None

    def entry(self, outer: Open, key: Scalar, tree: Tree) -> None:
        """Add an entry to the map that is open."""
        name = key.text
        if name == "<<" and not key.style:
            outer.merges.append(tree)
        elif name in outer.entries:
            first = outer.keys[name].line
            error = DuplicateKey(f'The key "{name}" is said twice in one map.', hint=f"It is also in line {first}.")
            error.place = Place(key.line, key.column)
            if len(self.problems) >= MOST_PROBLEMS:
                raise error
            self.problems.append(error.problem())
        else:
            outer.entries[name] = tree
            outer.keys[name] = key

    def closed(self, done: Open) -> Tree:
        """The list or map that was open."""
        if done.items is not None:
            return Items(done.line, done.column, tuple(done.items))
        for merge in done.merges:
            for source in merge.items if isinstance(merge, Items) else (merge,):
                if not isinstance(source, Map):
                    raise NotYaml("`<<` takes a map, or a list of maps.", place=Place(merge.line, merge.column))
                for name, tree in source.entries.items():
                    done.keys.setdefault(name, source.keys[name])
                    done.entries.setdefault(name, tree)
        return Map(done.line, done.column, done.entries, done.keys)


def _scalar(event: yaml.ScalarEvent) -> Scalar:
    mark = event.start_mark
    assert mark is not None
    text: str = event.value
    value: Plain
    if event.tag is not None and event.tag != "!":
        value = _tagged(event, text)
    else:
        value = resolve(text) if event.implicit[0] and event.tag is None else text
    return Scalar(mark.line + 1, mark.column + 1, text, value, event.style or "")


def _tagged(event: yaml.ScalarEvent, text: str) -> Plain:
    _check_tag(event.tag, event)
    word = str(event.tag).removeprefix(CORE)
    value = text if word == "str" else resolve(text)
    fits: tuple[type, ...] = {"int": (int,), "float": (int, float), "bool": (bool,), "null": (type(None),)}.get(
        word, (str,)
    )
    if not isinstance(value, fits):
        raise NotYaml(f'"{text[:60]}" is no !!{word}.', place=_place(event))
    return value


def _check_tag(tag: str | None, event: yaml.Event) -> None:
    if tag not in (None, "!", *(CORE + word for word in ("str", "int", "float", "bool", "null", "map", "seq"))):
        shown = str(tag).replace(CORE, "!!")[:60]
        hint = "Flows are data: text, numbers, true, false, lists and maps."
        raise NotYaml(f'The YAML tag "{shown}" has no meaning in a flow.', hint=hint, place=_place(event))


def _place(event: object) -> Place:
    mark = getattr(event, "start_mark", None)
    return Place(mark.line + 1, mark.column + 1) if mark else TOP
