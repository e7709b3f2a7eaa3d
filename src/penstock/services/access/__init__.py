"""Who may do what where? People and programs, their roles, what they may reach, and how they prove who they are."""

from penstock.services.access.rights import can, covers, scope
from penstock.services.access.roles import BUILT_IN

__all__ = ["BUILT_IN", "can", "covers", "scope"]
