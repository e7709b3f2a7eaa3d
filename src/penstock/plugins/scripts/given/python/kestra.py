"""How does a script say `from kestra import Kestra`? By the same things under that name, unless it is installed."""

from __future__ import annotations

import penstock_given


class Kestra:
    """What scripts written for Kestra call."""

    send = _send = staticmethod(penstock_given.send)
    format = staticmethod(penstock_given.line)
    outputs = staticmethod(penstock_given.outputs)
    counter = staticmethod(penstock_given.counter)
    timer = staticmethod(penstock_given.timer)
    logger = staticmethod(penstock_given.logger)


penstock_given.give_way("kestra", {"Kestra": Kestra})
