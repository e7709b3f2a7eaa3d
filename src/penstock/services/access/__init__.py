"""Who may do what where? People and programs, their roles, what they may reach, and how they prove who they are."""

from penstock.services.access.audited import audited, need
from penstock.services.access.bearers import resolve
from penstock.services.access.keys import csrf_holds, csrf_token
from penstock.services.access.rights import can, covers, scope
from penstock.services.access.roles import BUILT_IN

__all__ = ["BUILT_IN", "audited", "can", "covers", "csrf_holds", "csrf_token", "need", "resolve", "scope"]
