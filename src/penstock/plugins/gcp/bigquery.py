"""How does a flow ask BigQuery? By a job, whose rows are fetched or stored, or left in a table there."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta, field

from penstock.plugins.gcp.options import GcpTask, part, telling
from penstock.plugins.serdes.records import Writer
from penstock.plugins.sql import cells
from penstock.plugins.sql.ending import SECONDS, before_the_end
from penstock.plugins.sql.query import FetchType
from penstock.sdk.context import Context, MetricKind
from penstock.sdk.task import TaskFailed
from penstock.sdk.values import Duration

LIBRARY: Final = "google.cloud.bigquery"
# Where lineage says that its tables are.
NAMESPACE: Final = "bigquery"
REASONS: Final = ("rateLimitExceeded", "jobBackendError", "backendError", "internalError", "jobInternalError")
MESSAGES: Final = (
    "due to concurrent update",
    "Retrying the job may solve the problem",
    "Retrying may solve the problem",
)
# A job that may be tried again: so long between two tries at first and at last, and in all.
FIRST, LONGEST, IN_ALL = 5.0, 60.0, 900.0
COUNTED: Final = {
    "total.bytes.processed": "total_bytes_processed",
    "total.bytes.billed": "total_bytes_billed",
    "total.slot.ms": "slot_millis",
    "num.dml.affected.rows": "num_dml_affected_rows",
}


class Priority(enum.StrEnum):
    """How soon a job begins."""

    INTERACTIVE = "INTERACTIVE"
    BATCH = "BATCH"


class Create(enum.StrEnum):
    """Whether the destination is made."""

    CREATE_IF_NEEDED = "CREATE_IF_NEEDED"
    CREATE_NEVER = "CREATE_NEVER"


class Write(enum.StrEnum):
    """What becomes of the rows that the destination has."""

    WRITE_TRUNCATE = "WRITE_TRUNCATE"
    WRITE_TRUNCATE_DATA = "WRITE_TRUNCATE_DATA"
    WRITE_APPEND = "WRITE_APPEND"
    WRITE_EMPTY = "WRITE_EMPTY"


class SchemaUpdate(enum.StrEnum):
    """How the destination's columns may change."""

    ALLOW_FIELD_ADDITION = "ALLOW_FIELD_ADDITION"
    ALLOW_FIELD_RELAXATION = "ALLOW_FIELD_RELAXATION"


class Partitioning(enum.StrEnum):
    """Which span of time a partition has."""

    HOUR = "HOUR"
    DAY = "DAY"
    MONTH = "MONTH"
    YEAR = "YEAR"


class Query(GcpTask, frozen=True, kw_only=True):
    """Run a statement, or a script, on BigQuery (through Google's library; not tried on the real one)."""

    type_name: ClassVar[str] = "bigquery.query"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.gcp.bigquery.Query",)
    outputs: ClassVar[dict[str, str]] = {
        "jobId": "The job's id.",
        "row": "The first row (FETCH_ONE).",
        "rows": "All rows (FETCH).",
        "uri": "Address of a file of JSON lines, one row each (STORE).",
        "size": "How many rows were fetched or stored.",
        "destinationTable": "Where the rows are in BigQuery: project, dataset, table.",
    }
    example: ClassVar[dict[str, object]] = {
        "projectId": "shop",
        "serviceAccount": "{{ secret('GCP') }}",
        "sql": "SELECT day, sum(amount) AS amount FROM sales.orders GROUP BY day",
        "fetchType": "STORE",
    }

    sql: Annotated[str, Meta(description="The statement, or several: BigQuery reads them as one script.")]
    fetch_type: Annotated[FetchType, Meta(description="What becomes of the rows.")] = FetchType.NONE
    fetch: Annotated[bool, Meta(description="As FETCH.", extra={"deprecated": "fetchType says it"})] = False
    fetch_one: Annotated[bool, Meta(description="As FETCH_ONE.", extra={"deprecated": "fetchType says it"})] = False
    store: Annotated[bool, Meta(description="As STORE.", extra={"deprecated": "fetchType says it"})] = False
    location: Annotated[str, Meta(description="Where the job runs.", examples=["EU"])] = ""
    default_dataset: Annotated[str, Meta(description="Dataset of tables that name none.", examples=["shop.sales"])] = ""
    destination_table: Annotated[
        str, Meta(description="Table to put the rows into.", examples=["shop.sales.daily", "sales.daily$20160102"])
    ] = ""
    create_disposition: Annotated[Create | None, Meta(description="Whether that table is made.")] = None
    write_disposition: Annotated[Write | None, Meta(description="What becomes of its rows.")] = None
    schema_update_options: Annotated[list[SchemaUpdate], Meta(description="How its columns may change.")] = field(
        default_factory=list
    )
    clustering_fields: Annotated[list[str], Meta(description="Columns that it is clustered by.")] = field(
        default_factory=list
    )
    time_partitioning_field: Annotated[str, Meta(description="Column of time that it is partitioned by.")] = ""
    time_partitioning_type: Annotated[Partitioning, Meta(description="By which span of time.")] = Partitioning.DAY
    range_partitioning_field: Annotated[str, Meta(description="Column of numbers that it is partitioned by.")] = ""
    range_partitioning_start: Annotated[int | None, Meta(description="From this number on.")] = None
    range_partitioning_end: Annotated[int | None, Meta(description="Up to this number, without it.")] = None
    range_partitioning_interval: Annotated[int | None, Meta(description="How many numbers a partition has.")] = None
    labels: Annotated[dict[str, str], Meta(description="Labels of the job.")] = field(default_factory=dict)
    priority: Annotated[Priority, Meta(description="How soon the job begins.")] = Priority.INTERACTIVE
    job_timeout: Annotated[
        Duration | None, Meta(description="When BigQuery ends the job.", extra={"unit": "ISO-8601, or seconds"})
    ] = None
    dry_run: Annotated[bool, Meta(description="Whether the statement is looked at and not run.")] = False
    use_legacy_sql: Annotated[bool, Meta(description="Whether it is in BigQuery's older words.")] = False
    legacy_sql: Annotated[bool, Meta(description="Likewise.", extra={"deprecated": "useLegacySql says it"})] = False
    use_query_cache: Annotated[bool | None, Meta(description="Whether an answer that is kept will do.")] = None
    allow_large_results: Annotated[bool | None, Meta(description="Whether legacy SQL may give many rows.")] = None
    flatten_results: Annotated[bool | None, Meta(description="Whether legacy SQL flattens what is nested.")] = None
    maximum_billing_tier: Annotated[int | None, Meta(description="Highest tier to pay for.")] = None
    maximum_bytes_billed: Annotated[int | None, Meta(description="Most bytes to pay for.")] = None
    max_results: Annotated[int | None, Meta(description="Most rows of one page of the answer.")] = None
    retry_reasons: Annotated[list[str], Meta(description="Reasons to try the job again, for 15 minutes.")] = field(
        default_factory=lambda: list(REASONS)
    )
    retry_messages: Annotated[list[str], Meta(description="Parts of messages to try the job again for.")] = field(
        default_factory=lambda: list(MESSAGES)
    )

    def libraries(self) -> tuple[str, ...]:
        """Google's."""
        return (LIBRARY,)

    @property
    def wanted(self) -> FetchType:
        """What becomes of the rows, in whichever way it was said."""
        old = {FetchType.STORE: self.store, FetchType.FETCH_ONE: self.fetch_one, FetchType.FETCH: self.fetch}
        return next((kind for kind, said in old.items() if said), self.fetch_type)

    def run(self, context: Context) -> dict[str, object]:
        """Run it."""
        with telling("BigQuery"):
            credentials, project = self.credentials()
            if not project:
                raise TaskFailed("projectId must be given: the key names no project.")
            client = part(LIBRARY).Client(project=project, credentials=credentials, location=self.location or None)
            try:
                return self._ask(client, project, context)
            finally:
                client.close()

    def _ask(self, client: Any, project: str, context: Context) -> dict[str, object]:
        again = part("google.api_core.retry").Retry(
            predicate=self.may_be_tried_again, initial=FIRST, maximum=LONGEST, timeout=IN_ALL
        )
        prefix = re.sub(r"[^A-Za-z0-9_-]+", "-", f"penstock-{context.flow}-{context.step}")[:200] + "-"
        job = client.query(self.sql, job_config=self.configuration(project), job_id_prefix=prefix, job_retry=again)
        outputs: dict[str, object] = {"jobId": job.job_id}
        if not self.dry_run:
            with before_the_end(lambda: job.cancel(timeout=SECONDS)):
                rows = job.result(page_size=self.max_results, job_retry=again)
                outputs |= self._deal(rows, context)
        self._measure(job, context)
        place = job.destination
        if not self.dry_run:
            for table in job.referenced_tables or ():
                context.reads(NAMESPACE, named(table))
            if place is not None and not place.dataset_id.startswith("_"):  # else it is kept for the answer alone
                context.writes(NAMESPACE, named(place))
        if place is not None:
            outputs["destinationTable"] = {
                "project": place.project,
                "dataset": place.dataset_id,
                "table": place.table_id,
            }
        return outputs

    def configuration(self, project: str) -> Any:
        """The job, in the words of Google's library."""
        library = part(LIBRARY)
        try:
            table = self.destination_table and library.TableReference.from_string(self.destination_table, project)
            dataset = self.default_dataset and library.DatasetReference.from_string(self.default_dataset, project)
        except ValueError as error:
            raise TaskFailed(str(error)) from None
        wanted = {
            "destination": table,
            "default_dataset": dataset,
            "create_disposition": self.create_disposition and self.create_disposition.value,
            "write_disposition": self.write_disposition and self.write_disposition.value,
            "schema_update_options": [each.value for each in self.schema_update_options],
            "clustering_fields": self.clustering_fields,
            "time_partitioning": self.time_partitioning_field
            and library.TimePartitioning(type_=self.time_partitioning_type.value, field=self.time_partitioning_field),
            "range_partitioning": self.range_partitioning_field and self._ranges(library),
            "labels": self.labels,
            "job_timeout_ms": self.job_timeout and round(self.job_timeout.seconds * 1000),
            "allow_large_results": self.allow_large_results,
            "flatten_results": self.flatten_results,
            "use_query_cache": self.use_query_cache,
            "maximum_billing_tier": self.maximum_billing_tier,
            "maximum_bytes_billed": self.maximum_bytes_billed,
        }
        return library.QueryJobConfig(
            priority=self.priority.value,
            dry_run=self.dry_run,
            use_legacy_sql=self.use_legacy_sql or self.legacy_sql,
            **{name: value for name, value in wanted.items() if value not in (None, "", [], {})},
        )

    def may_be_tried_again(self, error: Exception) -> bool:
        """Whether a job that failed so may go well another time."""
        told = [each for each in getattr(error, "errors", None) or () if isinstance(each, dict)]
        reasons = {str(each.get("reason")) for each in told}
        said = " ".join(str(each.get("message")) for each in told).lower()
        return bool(reasons & set(self.retry_reasons)) or any(each.lower() in said for each in self.retry_messages)

    def _ranges(self, library: Any) -> Any:
        span = library.PartitionRange(
            start=self.range_partitioning_start,
            end=self.range_partitioning_end,
            interval=self.range_partitioning_interval,
        )
        return library.RangePartitioning(field=self.range_partitioning_field, range_=span)

    def _deal(self, rows: Any, context: Context) -> dict[str, object]:
        match self.wanted:
            case FetchType.NONE:
                return {}
            case FetchType.FETCH:
                found = list(records(rows))
                return {"rows": found, "size": len(found)}
            case FetchType.FETCH_ONE:
                first = next(records(rows), None)
                return {"row": first, "size": int(first is not None)}
            case FetchType.STORE:
                with Writer(context) as writer:
                    for record in records(rows):
                        writer.write(record)
                    return writer.done()

    @staticmethod
    def _measure(job: Any, context: Context) -> None:
        for name, of_job in COUNTED.items():
            if (value := getattr(job, of_job)) is not None:
                context.metric(name, value)
        if job.started and job.ended:
            context.metric("duration", (job.ended - job.started).total_seconds(), MetricKind.TIMER)


def named(table: Any) -> str:
    """A table's whole name, without the partition that may stand behind it."""
    return f"{table.project}.{table.dataset_id}.{table.table_id.partition('$')[0]}"


def records(rows: Any) -> Iterator[dict[str, object]]:
    """Rows by column name, as JSON can say them."""
    for row in rows:
        yield cells.row(list(row.keys()), list(row.values()), None)
