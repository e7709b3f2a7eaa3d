"""How are values read from documents and written as such? JSON, Ion text and YAML."""

from __future__ import annotations

from penstock.expr.documents.ion import from_ion, to_ion
from penstock.expr.documents.json_reading import read_json
from penstock.expr.documents.yaml_reading import from_yaml
from penstock.expr.documents.yaml_writing import to_yaml

__all__ = ["from_ion", "from_yaml", "read_json", "to_ion", "to_yaml"]
