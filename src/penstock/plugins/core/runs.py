"""How does a flow look after other runs? Count them, let one go on, remove what is over, with logs and files."""

from __future__ import annotations

import datetime
from typing import Annotated, ClassVar, Final, cast

import msgspec
from msgspec import Meta, field

from penstock.errors.task import NotOffered
from penstock.sdk.context import Ask, Context
from penstock.sdk.task import Mode, TaskFailed, TaskType

NAMESPACE: Final = "Only runs of this namespace and those below it."
FLOW: Final = "Only runs of this flow."
SINCE: Final = "Only runs created at this instant or later."
UNTIL: Final = "Only runs created before this instant."
STATES: Final = "Only runs in one of these states."
# The states as flows write them, and ours.
STATUSES: Final = {
    "CREATED": "queued", "QUEUED": "queued", "RUNNING": "running", "PAUSED": "paused", "KILLING": "killing",
    "RETRYING": "retrying", "SUCCESS": "success", "WARNING": "warning", "FAILED": "failed", "KILLED": "killed",
    "CANCELLED": "cancelled", "RETRIED": "retried",
}  # fmt: skip


class FlowId(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A flow whose runs are counted."""

    namespace: Annotated[str, Meta(description="Its namespace.")]
    flow_id: Annotated[str, Meta(description="Its id; all flows of the namespace unless given.")] = ""


class Count(TaskType, frozen=True, kw_only=True):
    """Count runs, and keep the counts for which an expression is true."""

    type_name: ClassVar[str] = "runs.count"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.core.execution.Count",
        "io.kestra.plugin.core.execution.Counts",
        "io.kestra.core.tasks.executions.Counts",
        "io.kestra.core.tasks.executions.Count",
    )
    mode: ClassVar[Mode] = Mode.WARM
    outputs: ClassVar[dict[str, str]] = {
        "results": "Of each flow or namespace whose count is kept: namespace, flowId, count.",
        "count": "How many there are.",
        "total": "The sum of the counts.",
    }
    example: ClassVar[dict[str, object]] = {
        "flows": [{"namespace": "shop", "flowId": "orders"}],
        "states": ["SUCCESS"],
        "startDate": "{{ now() | dateAdd(-1, 'DAYS') }}",
        "expression": "{{ count == 0 }}",
    }

    expression: Annotated[
        str,
        Meta(description="Which counts are kept: those for which this is `true`.", extra={"template": False}),
    ]
    flows: Annotated[list[FlowId], Meta(description="The flows, each counted by itself.")] = field(default_factory=list)
    namespaces: Annotated[list[str], Meta(description="The namespaces, each counted by itself.")] = field(
        default_factory=list
    )
    states: Annotated[list[str], Meta(description=STATES, examples=[["FAILED"]])] = field(default_factory=list)
    start_date: Annotated[str, Meta(description=SINCE)] = ""
    end_date: Annotated[str, Meta(description=UNTIL)] = ""

    def run(self, context: Context) -> dict[str, object]:
        """Count them."""
        asked = context.ask(
            Ask.RUNS_COUNT,
            flows=[{"namespace": each.namespace, "flowId": each.flow_id} for each in self.flows],
            namespaces=self.namespaces,
            states=statuses(self.states),
            since=micros(self.start_date),
            until=micros(self.end_date),
        )
        found = cast("list[dict[str, object]]", asked)
        said = cast("list[dict[str, object]]", context.ask(Ask.ROWS_RENDER, template=self.expression, rows=found))
        if wrong := next((each["error"] for each in said if "error" in each), None):
            raise TaskFailed(f"The expression cannot be evaluated: {wrong}")
        results = [each for each, told in zip(found, said, strict=True) if str(told["value"]).strip() == "true"]
        return {"results": results, "count": len(results), "total": sum(cast("int", each["count"]) for each in results)}


class Resume(TaskType, frozen=True, kw_only=True):
    """Let a run that is paused go on."""

    type_name: ClassVar[str] = "runs.resume"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.core.execution.Resume",
        "io.kestra.core.tasks.executions.Resume",
    )
    mode: ClassVar[Mode] = Mode.WARM
    example: ClassVar[dict[str, object]] = {"executionId": "{{ trigger.executionId }}", "inputs": {"approved": True}}

    execution_id: Annotated[str, Meta(description="The run.", examples=["{{ trigger.executionId }}"])]
    inputs: Annotated[dict[str, object], Meta(description="What the pause asks for.")] = field(default_factory=dict)
    namespace: Annotated[str, Meta(description="Read and not used: a run's id says enough.")] = ""
    flow_id: Annotated[str, Meta(description="Read and not used: a run's id says enough.")] = ""

    def run(self, context: Context) -> None:
        """Let it go on."""
        context.ask(Ask.RUN_RESUME, run=self.execution_id, inputs=self.inputs)


class Purge(TaskType, frozen=True, kw_only=True):
    """Remove runs that are over, or their logs, numbers and files."""

    type_name: ClassVar[str] = "runs.purge"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.core.execution.PurgeExecutions",
        "io.kestra.plugin.core.storage.Purge",
        "io.kestra.core.tasks.storages.Purge",
    )
    mode: ClassVar[Mode] = Mode.WARM
    outputs: ClassVar[dict[str, str]] = {
        "executionsCount": "How many runs were removed.",
        "logsCount": "How many parts of logs were removed.",
        "metricsCount": "How many numbers were removed.",
        "storagesCount": "How many files were removed.",
    }
    example: ClassVar[dict[str, object]] = {
        "endDate": "{{ now() | dateAdd(-1, 'MONTHS') }}",
        "states": ["SUCCESS", "FAILED"],
    }

    end_date: Annotated[str, Meta(description=UNTIL, examples=["{{ now() | dateAdd(-1, 'MONTHS') }}"])]
    start_date: Annotated[str, Meta(description=SINCE)] = ""
    namespace: Annotated[str, Meta(description=NAMESPACE)] = ""
    flow_id: Annotated[str, Meta(description=FLOW)] = ""
    states: Annotated[list[str], Meta(description=STATES)] = field(default_factory=list)
    purge_execution: Annotated[bool, Meta(description="Whether the runs go.")] = True
    purge_log: Annotated[bool, Meta(description="Whether their logs go.")] = True
    purge_metric: Annotated[bool, Meta(description="Whether their numbers go.")] = True
    purge_storage: Annotated[bool, Meta(description="Whether their files go.")] = True
    batch_size: Annotated[int, Meta(description="Read and not used.")] = 100

    def run(self, context: Context) -> dict[str, object]:
        """Remove them."""
        gone = cast(
            "dict[str, int]",
            context.ask(
                Ask.RUNS_PURGE,
                namespace=self.namespace,
                flow=self.flow_id,
                states=statuses(self.states),
                since=micros(self.start_date),
                until=micros(self.end_date),
                runs=self.purge_execution,
                logs=self.purge_log,
                metrics=self.purge_metric,
                files=self.purge_storage,
            ),
        )
        names = {"runs": "executionsCount", "logs": "logsCount", "metrics": "metricsCount", "files": "storagesCount"}
        return {name: gone[part] for part, name in names.items()}


class PurgeLogs(TaskType, frozen=True, kw_only=True):
    """Remove the logs of runs that are over; the runs stay."""

    type_name: ClassVar[str] = "log.purge"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.core.log.PurgeLogs", "io.kestra.core.tasks.log.PurgeLogs")
    mode: ClassVar[Mode] = Mode.WARM
    outputs: ClassVar[dict[str, str]] = {"count": "How many parts of logs were removed."}
    example: ClassVar[dict[str, object]] = {"endDate": "{{ now() | dateAdd(-1, 'MONTHS') }}"}

    end_date: Annotated[str, Meta(description=UNTIL)]
    start_date: Annotated[str, Meta(description=SINCE)] = ""
    namespace: Annotated[str, Meta(description=NAMESPACE)] = ""
    flow_id: Annotated[str, Meta(description=FLOW)] = ""
    execution_id: Annotated[str, Meta(description="Not offered: the log of one run goes with the run.")] = ""
    log_levels: Annotated[
        list[str], Meta(description="Not offered, but for all levels: a log is kept and removed whole.")
    ] = field(default_factory=list)

    def run(self, context: Context) -> dict[str, object]:
        """Remove them."""
        if self.execution_id or (self.log_levels and len(set(self.log_levels)) < len(LEVELS)):
            raise NotOffered(
                "Lines of some levels cannot be removed from a log, nor the log of one run.",
                hint="Leave logLevels and executionId out.",
            )
        asked = context.ask(
            Ask.RUNS_PURGE,
            namespace=self.namespace,
            flow=self.flow_id,
            since=micros(self.start_date),
            until=micros(self.end_date),
            runs=False,
            metrics=False,
            files=False,
        )
        return {"count": cast("dict[str, int]", asked)["logs"]}


LEVELS: Final = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR")


class PurgeFiles(TaskType, frozen=True, kw_only=True):
    """Remove all files that this run has stored so far."""

    type_name: ClassVar[str] = "files.purge"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.core.storage.PurgeCurrentExecutionFiles",
        "io.kestra.core.tasks.storages.PurgeExecution",
        "io.kestra.plugin.core.storage.PurgeExecution",
    )
    mode: ClassVar[Mode] = Mode.WARM
    outputs: ClassVar[dict[str, str]] = {"uris": "Addresses of the files."}

    def run(self, context: Context) -> dict[str, object]:
        """Remove them."""
        return {"uris": context.ask(Ask.FILES_PURGE)}


def statuses(states: list[str]) -> list[str]:
    """States as flows write them, as ours; TaskFailed for one that there is not."""
    unknown = [state for state in states if state.upper() not in STATUSES]
    if unknown:
        raise TaskFailed(f'There is no state "{unknown[0]}": {", ".join(STATUSES)}.')
    return sorted({STATUSES[state.upper()] for state in states})


def micros(text: str) -> int | None:
    """An instant as microseconds since 1970; a date is its beginning, UTC where nothing is said. TaskFailed."""
    if not text.strip():
        return None
    try:
        at = datetime.datetime.fromisoformat(text.strip().partition("[")[0])
    except ValueError:
        raise TaskFailed(f'"{text}" is no instant: 2024-02-03T04:05:06Z.') from None
    at = at if at.tzinfo else at.replace(tzinfo=datetime.UTC)
    return (at - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)) // datetime.timedelta(microseconds=1)
