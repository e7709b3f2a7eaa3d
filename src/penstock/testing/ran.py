"""What came of a run in a test? Its document, and assertions that show the whole run when they fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from penstock.services.document import RunDocument, StepDocument
from penstock.testing.fixtures import Call


class Said(msgspec.Struct, frozen=True):
    """One line of a step's log."""

    step: str
    text: str


class Ran(msgspec.Struct, frozen=True):
    """A run as it stands: `document` is what `--json` gives, `calls` are the attempts made, `said` all log lines."""

    document: RunDocument
    calls: tuple[Call, ...]
    said: tuple[Said, ...]

    @property
    def id(self) -> str:
        """The run's id."""
        return self.document.id

    @property
    def status(self) -> str:
        """The run's status."""
        return self.document.status

    @property
    def outputs(self) -> dict[str, object]:
        """The flow's outputs."""
        return self.document.outputs

    @property
    def statuses(self) -> dict[str, str]:
        """The status of every step by its key."""
        return {step.key: step.status for step in self.document.steps}

    def step(self, key: str) -> StepDocument:
        """One step; an AssertionError tells which there are."""
        for step in self.document.steps:
            if step.key == key:
                return step
        raise AssertionError(f"There is no step {key}.\n{self}")

    def calls_of(self, key: str) -> list[Call]:
        """The attempts at one step, with the properties that they were given."""
        return [call for call in self.calls if call.step == key]

    def logs(self, key: str | None = None) -> str:
        """What one step said, or all of them."""
        return "\n".join(line.text for line in self.said if key in (None, line.step))

    def assert_status(self, status: str) -> None:
        """The run has this status."""
        assert self.status == status, f"The run is {self.status}, not {status}.\n{self}"

    def assert_steps(self, statuses: Mapping[str, str]) -> None:
        """These steps have these statuses; other steps do not matter."""
        found = self.statuses
        wrong = [
            f"{key} is {found.get(key, 'not there')}, not {word}"
            for key, word in statuses.items()
            if found.get(key) != word
        ]
        assert not wrong, f"{'; '.join(wrong)}.\n{self}"

    def assert_order(self, keys: Sequence[str]) -> None:
        """These steps had their first attempts in this order."""
        first = list(dict.fromkeys(call.step for call in self.calls if call.step in keys))
        assert first == list(keys), f"The order was {', '.join(first)}.\n{self}"

    def assert_outputs(self, outputs: Mapping[str, object]) -> None:
        """The flow gave these outputs; others do not matter."""
        wrong = [
            f"{name} is {self.outputs.get(name)!r}"
            for name, value in outputs.items()
            if self.outputs.get(name) != value
        ]
        assert not wrong, f"{'; '.join(wrong)}.\n{self}"

    def assert_logged(self, text: str, key: str | None = None) -> None:
        """The text stands in the log of a step, or of any."""
        assert text in self.logs(key), f"Nobody said {text!r}.\n{self}"

    def __str__(self) -> str:
        told = self.document
        lines = [
            f"run of {told.namespace}.{told.flow}: {told.status}{f' ({told.error.message})' if told.error else ''}"
        ]
        for step in told.steps:
            depth = step.key.count("/") + 1
            why = f" ({step.error.message})" if step.error else ""
            tries = f", {len(step.attempts)} attempts" if len(step.attempts) > 1 else ""
            lines.append(f"{'  ' * depth}{step.key}: {step.status}{tries}{why}")
        lines += [f"  {line.step} │ {line.text}" for line in self.said]
        return "\n".join(lines)
