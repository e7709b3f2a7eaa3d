"""What can a project say of itself? The values of penstock.yaml, every key with its sentence; `read` finds and reads it."""

from penstock.settings.keys import Settings, Kestra, Limits, Retention, PluginDefault
from penstock.settings.read import FILE, Project, find, read

__all__ = ["FILE", "Kestra", "Limits", "PluginDefault", "Project", "Retention", "Settings", "find", "read"]
