"""What can be wrong with an expression, in its text or when it is evaluated? Codes PS-1xx."""

from __future__ import annotations

from penstock.errors import PenstockError


class ExprError(PenstockError):
    """Something is wrong with an expression; the subclasses say what."""

    code = "PS-100"


class ExprSyntaxError(ExprError):
    """The text between the braces cannot be read."""

    code = "PS-101"


class UnknownName(ExprError):
    """A name is used that nothing in the scope has."""

    code = "PS-102"
    hint = "`name ?? 'value'` gives a value where a name may be missing."


class UnknownWord(ExprError):
    """A filter, function, test or tag is used that the language does not have."""

    code = "PS-103"


class WrongArguments(ExprError):
    """A filter, function, test or macro is given too many, too few, or wrongly named arguments."""

    code = "PS-104"


class WrongType(ExprError):
    """An operator, filter or function is given a value of a kind it cannot work on."""

    code = "PS-105"


class ExprLimit(ExprError):
    """An expression goes beyond its limit of work, size or depth."""

    code = "PS-106"


class NeedsOutside(ExprError):
    """A function that reaches out (a secret, a file, the clock) is used where only data is at hand."""

    code = "PS-107"


class ExprFailed(ExprError):
    """A filter or function was called rightly and still has no answer for this value."""

    code = "PS-108"


class OldWord(ExprError):
    """A filter or function is used under an older name; it works, and a note says the newer one."""

    code = "PS-109"
