"""How is a flow in Kestra's language read? `read` gives the flow and everything that is wrong with its text."""

from penstock.dialects.kestra.documents import Expanded, expand, read_several, traced
from penstock.dialects.kestra.installed import INSTALLED, Installed
from penstock.dialects.kestra.read import Reading, read, version_of
from penstock.dialects.kestra.types import FieldInfo, TypeInfo, Types

__all__ = [
    "INSTALLED",
    "Expanded",
    "FieldInfo",
    "Installed",
    "Reading",
    "TypeInfo",
    "Types",
    "expand",
    "read",
    "read_several",
    "traced",
    "version_of",
]
