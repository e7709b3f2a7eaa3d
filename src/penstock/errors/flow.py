"""What can be wrong with a flow as people wrote it? Codes PS-2xx; expressions inside it have PS-1xx."""

from __future__ import annotations

from penstock.errors import PenstockError


class FlowError(PenstockError):
    """Something is wrong with the text of a flow; the subclasses say what."""

    code = "PS-200"


class NotYaml(FlowError):
    """The text is not YAML, or uses a part of YAML that flows cannot have."""

    code = "PS-201"


class BadEncoding(FlowError):
    """The bytes are not UTF-8 text."""

    code = "PS-202"
    hint = "Save the file as UTF-8."


class TooLarge(FlowError):
    """The text is longer, deeper or has more parts than a flow may have."""

    code = "PS-203"


class UnknownDependency(FlowError):
    """Something waits for what does not exist."""

    code = "PS-204"


class DuplicateKey(FlowError):
    """One map says the same key twice."""

    code = "PS-205"


class BadAlias(FlowError):
    """A YAML alias names nothing, or what it is itself a part of."""

    code = "PS-206"


class SeveralDocuments(FlowError):
    """A file for one flow holds several YAML documents."""

    code = "PS-207"
    hint = "Here one flow is wanted; `penstock check` and `penstock flows push` take files with several."


class NoFlow(FlowError):
    """The text is empty, or is something other than the map that a flow is."""

    code = "PS-208"
    hint = "A flow has at least `id`, `namespace` and `tasks`."


class WrongValue(FlowError):
    """A property has a value of a kind, or out of a range, that it cannot have."""

    code = "PS-209"


class UnknownProperty(FlowError):
    """A property is written that nothing there has."""

    code = "PS-210"


class MissingProperty(FlowError):
    """A property is needed and not written."""

    code = "PS-211"


class BadName(FlowError):
    """An id or a namespace does not have the form of one."""

    code = "PS-212"


class DuplicateId(FlowError):
    """Two tasks, inputs, outputs or triggers have the same id."""

    code = "PS-213"


class UnknownType(FlowError):
    """A task, an input, an output or a policy is of a type that does not exist."""

    code = "PS-214"


class NotSupported(FlowError):
    """The language has this, and this release cannot run it yet."""

    code = "PS-215"


class UnfitProperty(FlowError):
    """A property of a task does not fit what the task's type declares."""

    code = "PS-216"


class Recursion(FlowError):
    """A flow calls itself."""

    code = "PS-217"


class SystemLabel(FlowError):
    """A label belongs to the system and cannot be given by people."""

    code = "PS-218"


class BadPolicy(FlowError):
    """The parts of a retry contradict each other."""

    code = "PS-219"


class Cycle(FlowError):
    """Inputs wait for each other in a circle."""

    code = "PS-220"


class BadDuration(FlowError):
    """A span of time is not written as one."""

    code = "PS-221"
    hint = "Durations are ISO-8601: PT30S, PT5M, PT1H30M, P1D."


class NothingToDo(FlowError):
    """A group has no tasks."""

    code = "PS-222"


class CannotHaveRun(FlowError):
    """An expression reads the output of a task that cannot have run by then."""

    code = "PS-223"


class SecretDecides(FlowError):
    """A secret is read where its value would decide which tasks run, which history would show."""

    code = "PS-224"
    hint = "Give the value to the flow as an input, or compare it inside a task and use the task's output."


class Deprecated(FlowError):
    """A word of an older version of the language is used; it still works."""

    code = "PS-225"


class Certain(FlowError):
    """A condition is written so that it always has the same answer."""

    code = "PS-226"


class NoEffect(FlowError):
    """A property is written where it changes nothing."""

    code = "PS-227"


class BadVersion(FlowError):
    """A flow asks for a version of the language that does not exist."""

    code = "PS-228"


class BadDefaults(FlowError):
    """Plugin defaults cannot be given to the tasks they are for."""

    code = "PS-229"


class LoopOutput(FlowError):
    """The output of a task in a loop is read without saying of which value."""

    code = "PS-231"


class WrongDefault(FlowError):
    """An input's default is not a value that the input accepts."""

    code = "PS-230"


class SecretPrinted(FlowError):
    """A secret stands where everybody who sees the run would see it."""

    code = "PS-232"


class BadInclude(FlowError):
    """A file that a flow includes (`[[> name ]]`) cannot be read, or lies outside the project."""

    code = "PS-233"


class CannotWrite(FlowError):
    """A flow has something in it that Kestra's language has no words for."""

    code = "PS-234"


class OwnWord(FlowError):
    """A property is Penstock's own, which Kestra does not know."""

    code = "PS-235"
    hint = "It works here; Kestra would refuse the flow."
