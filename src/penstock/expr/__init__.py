"""How are `{{ … }}` expressions compiled, checked and rendered? The language's public face; pure, over data alone."""

from __future__ import annotations

# The families are imported for what they register.
from penstock.expr import filters, functions, predicates
from penstock.expr.calls import PURE, Calls
from penstock.expr.catalogue import Entry, catalogue
from penstock.expr.check import Known, check
from penstock.expr.template import Template, compile, moved, render, truthy
from penstock.expr.uses import Uses

__all__ = [
    "PURE",
    "Calls",
    "Entry",
    "Known",
    "Template",
    "Uses",
    "catalogue",
    "check",
    "compile",
    "filters",
    "functions",
    "moved",
    "predicates",
    "render",
    "truthy",
]
