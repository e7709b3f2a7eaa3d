"""What can a project say of itself? The keys of penstock.yaml, each with its sentence."""

from penstock.settings.keys import Kestra, Limits, PluginDefault, Retention, Settings
from penstock.settings.read import FILE, Project, find, read

__all__ = ["FILE", "Kestra", "Limits", "PluginDefault", "Project", "Retention", "Settings", "find", "read"]
