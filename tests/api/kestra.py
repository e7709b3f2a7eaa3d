"""How does a test use Kestra's own client? Against a server on a port, which asks who comes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from kestrapy import KestraClient

from penstock.api.serve import Server
from penstock.api.who import who_of
from penstock.services.access import local_key
from tests.api.house import House

MAIN = "main"
FLOW = """id: greet
namespace: shop
labels:
  team: blue
inputs:
  - id: who
    type: STRING
  - id: count
    type: INT
    defaults: 1
  - id: letter
    type: FILE
    required: false
tasks:
  - id: say
    type: io.kestra.plugin.core.log.Log
    message: "hello {{ inputs.who }}"
  - id: each
    type: io.kestra.plugin.core.flow.ForEach
    values: ["a", "b"]
    tasks:
      - id: give
        type: io.kestra.plugin.core.debug.Return
        format: "{{ taskrun.value }}{{ inputs.count }}{{ inputs.letter ? read(inputs.letter) : '' }}"
outputs:
  - id: said
    type: STRING
    value: "{{ inputs.who }}"
triggers:
  - id: daily
    type: io.kestra.plugin.core.trigger.Schedule
    cron: "0 3 * * *"
    inputs: {who: you}
  - id: hook
    type: io.kestra.plugin.core.trigger.Webhook
    key: open-sesame
    inputs: {who: "{{ trigger.body.who ?? 'hook' }}"}
"""


@contextlib.contextmanager
def served(house: House) -> Iterator[Server]:
    """A server of a house."""
    made = Server(house.app, who_of(house.app, "ann"))
    made.start()
    try:
        yield made
    finally:
        made.close()


@contextlib.contextmanager
def opened(server: Server, **known: str) -> Iterator[KestraClient]:
    """A client of somebody."""
    untyped: Callable[..., KestraClient] = KestraClient
    made = untyped(host=server.url, timeout=30, **known)
    try:
        yield made
    finally:
        made._session.close()


@contextlib.contextmanager
def owned(house: House) -> Iterator[KestraClient]:
    """A server of a house with a client of its owner, by a name and a password."""
    with served(house) as server:
        key = local_key.read(house.app.where.state)
        with opened(server, username="ann@shop.example", password=key) as made:
            yield made
