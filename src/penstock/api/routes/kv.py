"""Which addresses are about the values that flows keep?"""

from __future__ import annotations

from typing import Final

from penstock.api.handlers import kv
from penstock.api.route import Route, Where
from penstock.api.shapes.kv import KeyPut, KeyRow, KeysAsked, KeyValue
from penstock.api.shapes.lists import Page
from penstock.model.access import Action

KEYS: Final = "/v1/kv/{namespace}"
KEY: Final = f"{KEYS}/{{key}}"

ROUTES: Final = (
    Route(
        method="GET",
        path=KEYS,
        summary="The keys of a namespace, a page at a time.",
        handler=kv.list_keys,
        where=Where.PATH,
        action=Action.KV_VIEW,
        query=KeysAsked,
        answer=Page[KeyRow],
    ),
    Route(
        method="GET",
        path=KEY,
        summary="The value of a key.",
        handler=kv.get_key,
        where=Where.PATH,
        action=Action.KV_VIEW,
        answer=KeyValue,
    ),
    Route(
        method="PUT",
        path=KEY,
        summary="Keep a value under a key.",
        handler=kv.put_key,
        where=Where.PATH,
        action=Action.KV_EDIT,
        body=KeyPut,
        answer=KeyValue,
    ),
    Route(
        method="DELETE",
        path=KEY,
        summary="Forget the value of a key.",
        handler=kv.delete_key,
        where=Where.PATH,
        action=Action.KV_EDIT,
    ),
)
