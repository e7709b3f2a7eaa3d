"""Does the client look for fields that the API tells, and for the same types in them?"""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from msgspec import inspect as kinds

from penstock.api.routes.table import TABLE
from penstock.api.shapes.live import ChangeRow
from penstock.client import shapes

# Words of the API that would say something else beside others here.
RENAMED = {
    "PlaceDocument": "Place",
    "OneProblem": "FlowProblem",
    "ErrorDocument": "Failure",
    "Found": "SearchFound",
    "Ended": "SessionsEnded",
    "Wanted": "BranchWanted",
}
STREAMED = {"ChangeRow": ChangeRow}
LISTS = ("Page", "Everything")


def own() -> dict[str, type]:
    """The client's shapes by name."""
    found: dict[str, type] = {}
    for page in pkgutil.iter_modules(shapes.__path__):
        module = importlib.import_module(f"{shapes.__name__}.{page.name}")
        found |= {
            name: each
            for name, each in inspect.getmembers(module, inspect.isclass)
            if issubclass(each, msgspec.Struct) and each.__module__ == module.__name__
        }
    return found


@functools.cache
def told() -> dict[str, type]:
    """The shapes that the API tells, by the names that the client has for them, with all that stands in them."""
    found: dict[str, type] = {}
    waiting = [kinds.type_info(row.answer) for row in TABLE if row.answer is not None]
    while waiting:
        match waiting.pop():
            case kinds.StructType(cls=cls) as struct:
                name = cls.__name__
                waiting += [each.type for each in struct.fields]
                if name not in LISTS and RENAMED.get(name, name) not in found:
                    found[RENAMED.get(name, name)] = cls
                else:
                    waiting = waiting if name in LISTS else waiting[: len(waiting) - len(struct.fields)]
            case other:
                waiting += list(_inside(other))
    return found


def _inside(kind: Any) -> Iterator[Any]:
    for name in ("type", "item_type", "key_type", "value_type"):
        if isinstance(getattr(kind, name, None), kinds.Type):
            yield getattr(kind, name)
    for name in ("types", "item_types"):
        yield from getattr(kind, name, ())


def said(kind: Any) -> Any:
    """A type without what only one of both sides needs: bounds, words of closed lists, names of classes."""
    match kind:
        case kinds.Metadata(type=inner):
            return said(inner)
        case kinds.StructType(cls=cls):
            return RENAMED.get(cls.__name__, cls.__name__)
        case kinds.EnumType() | kinds.StrType() | kinds.LiteralType():
            return "text"
        case kinds.UnionType(types=types):
            return frozenset(said(each) for each in types)
        case kinds.CollectionType(item_type=item):
            return ("several", said(item))
        case kinds.VarTupleType(item_type=item):
            return ("several", said(item))
        case kinds.TupleType(item_types=items):
            return ("each", *map(said, items))
        case kinds.DictType(key_type=key, value_type=value):
            return ("by", said(key), said(value))
        case _:
            return type(kind).__name__


def fields(shape: type) -> dict[str, Any]:
    """The fields of a shape as they are written, with their types."""
    info = kinds.type_info(shape)
    assert isinstance(info, kinds.StructType)
    return {each.encode_name: said(each.type) for each in info.fields}


@pytest.mark.parametrize("name", sorted(own()))
def test_a_shape_has_fields_that_the_api_tells(name: str) -> None:
    server = told().get(name) or STREAMED[name]

    assert fields(own()[name]).items() <= fields(server).items()
