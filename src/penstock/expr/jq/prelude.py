"""Which of jq's functions are written in jq itself? Those follow paths by themselves; each is read when first used."""

from __future__ import annotations

import functools

from penstock.expr.jq import nodes
from penstock.expr.jq.calling import Function
from penstock.expr.jq.reading import program

_TEXTS = {
    ("map", 1): "def map(f): [.[] | f];",
    ("map_values", 1): "def map_values(f): .[] |= f;",
    ("select", 1): "def select(f): if f then . else empty end;",
    ("recurse", 0): "def recurse: recurse(.[]?);",
    ("recurse", 1): "def recurse(f): def r: ., (f | r); r;",
    ("recurse", 2): "def recurse(f; cond): def r: ., (f | select(cond) | r); r;",
    ("recurse_down", 0): "def recurse_down: recurse;",
    ("values", 0): "def values: select(. != null);",
    ("nulls", 0): "def nulls: select(. == null);",
    ("booleans", 0): 'def booleans: select(type == "boolean");',
    ("numbers", 0): 'def numbers: select(type == "number");',
    ("strings", 0): 'def strings: select(type == "string");',
    ("arrays", 0): 'def arrays: select(type == "array");',
    ("objects", 0): 'def objects: select(type == "object");',
    ("iterables", 0): 'def iterables: select(type | . == "array" or . == "object");',
    ("scalars", 0): 'def scalars: select(type | . != "array" and . != "object");',
    ("to_entries", 0): "def to_entries: . as $in | [keys_unsorted[] | {key: ., value: $in[.]}];",
    ("with_entries", 1): "def with_entries(f): to_entries | map(f) | from_entries;",
    ("del", 1): "def del(f): delpaths([path(f)]);",
    ("paths", 0): "def paths: path(..) | select(length > 0);",
    ("paths", 1): "def paths(f): . as $in | paths | select(. as $p | $in | getpath($p) | f);",
    ("leaf_paths", 0): "def leaf_paths: paths(scalars);",
    ("first", 0): "def first: .[0];",
    ("last", 0): "def last: .[-1];",
    ("nth", 1): "def nth($n): .[$n];",
    ("nth", 2): "def nth($n; f): last(limit($n + 1; f));",
    ("last", 1): "def last(f): reduce f as $x (null; $x);",
    ("until", 2): "def until(cond; update): def r: if cond then . else (update | r) end; r;",
    ("while", 2): "def while(cond; update): def r: if cond then ., (update | r) else empty end; r;",
    ("repeat", 1): "def repeat(f): def r: ., (f | r); r;",
    ("any", 0): "def any: any(.);",
    ("all", 0): "def all: all(.);",
    ("any", 1): "def any(f): any(.[]; f);",
    ("all", 1): "def all(f): all(.[]; f);",
    ("any", 2): "def any(g; f): isempty(first(g | f | select(.))) | not;",
    ("all", 2): "def all(g; f): isempty(first(g | f | select(. | not)));",
    ("isempty", 1): "def isempty(g): 0 == ((label $go | g | (1, break $go)) // 0);",
    ("in", 1): "def in(xs): . as $x | xs | has($x);",
    ("inside", 1): "def inside(xs): . as $x | xs | contains($x);",
    ("add", 0): "def add: reduce .[] as $x (null; . + $x);",
    ("add", 1): "def add(f): reduce f as $x (null; . + $x);",
    ("range", 1): "def range($n): range(0; $n; 1);",
    ("range", 2): "def range($from; $to): range($from; $to; 1);",
    ("combinations", 0): "def combinations: if length == 0 then [] else .[0][] as $x | (.[1:] | combinations) as $w "
    "| [$x] + $w end;",
    ("combinations", 1): "def combinations($n): . as $dot | [range($n)] | map($dot) | combinations;",
    ("walk", 1): 'def walk(f): def w: if type == "object" then . as $in | reduce keys[] as $k ({}; . + {($k): '
    '($in[$k] | w)}) | f elif type == "array" then map(w) | f else f end; w;',
    ("transpose", 0): "def transpose: if . == [] then [] else . as $in | (map(length) | max) as $max "
    "| [range(0; $max) as $j | [range(0; $in | length) as $i | $in[$i][$j]]] end;",
    ("ascii", 0): "def ascii: [.] | implode;",
    ("tostream", 0): "def tostream: path(def r: (.[]?|r), .; r) as $p | getpath($p) | reduce path(.[]?) as $q "
    "([$p, .]; [$p + $q]);",
    ("INDEX", 1): "def INDEX(f): INDEX(.[]; f);",
    ("INDEX", 2): "def INDEX(stream; f): reduce stream as $row ({}; .[$row | f | tostring] |= $row);",
    ("IN", 1): "def IN(s): any(s == .; .);",
    ("IN", 2): "def IN(src; s): any(src == s; .);",
    ("test", 1): "def test($re): test($re; null);",
    ("match", 1): "def match($re): match($re; null);",
    ("capture", 1): "def capture($re): capture($re; null);",
    ("capture", 2): "def capture($re; $flags): match($re; $flags) | [.captures | .[] | select(.name != null) "
    "| {key: .name, value: .string}] | from_entries;",
    ("scan", 1): "def scan($re): scan($re; null);",
    ("scan", 2): 'def scan($re; $flags): match($re; "g" + $flags) | if (.captures | length) > 0 '
    "then [.captures | .[] | .string] else .string end;",
    ("splits", 1): "def splits($re): splits($re; null);",
    ("splits", 2): "def splits($re; $flags): split($re; $flags) | .[];",
    ("sub", 2): "def sub($re; f): sub($re; f; null);",
    ("gsub", 2): 'def gsub($re; f): sub($re; f; "g");',
    ("gsub", 3): 'def gsub($re; f; $flags): sub($re; f; "g" + $flags);',
    ("finites", 0): "def finites: select(isinfinite or isnan | not);",
    ("normals", 0): "def normals: select(isnormal);",
    ("pick", 1): "def pick(f): . as $top | reduce path(f) as $p (null; setpath($p; $top | getpath($p)));",
    ("error", 0): "def error: error(.);",
}


@functools.cache
def prelude(key: tuple[str, int]) -> Function | None:
    """Give the function of a name and a count of arguments; None when it is not written in jq."""
    text = _TEXTS.get(key)
    if text is None:
        return None
    read = program(f"{text} .")
    assert isinstance(read, nodes.Define)
    return Function(read.parameters, read.body, None)
