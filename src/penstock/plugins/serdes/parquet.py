"""How does a flow turn Parquet into records, and records into Parquet?"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Final, cast

from msgspec import Meta

from penstock.errors.task import MissingExtra
from penstock.plugins.serdes import records, schema
from penstock.plugins.serdes.options import MADE, RECORDS, Serde
from penstock.plugins.serdes.schema import Schema, Schemed
from penstock.sdk.context import Context
from penstock.sdk.task import TaskFailed

AT_ONCE: Final = 10_000
CODECS: Final = {"UNCOMPRESSED": "NONE"}


class Read(Serde, frozen=True, kw_only=True):
    """Turn a Parquet file into a file of records."""

    type_name: ClassVar[str] = "parquet.read"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.serdes.parquet.ParquetToIon",
        "io.kestra.plugin.serdes.parquet.ParquetReader",
    )
    outputs: ClassVar[dict[str, str]] = RECORDS
    example: ClassVar[dict[str, object]] = {"from": "{{ outputs.download.uri }}"}

    def libraries(self) -> tuple[str, ...]:
        """pyarrow."""
        return ("pyarrow",)

    def run(self, context: Context) -> dict[str, object]:
        """Turn it."""
        arrow, parquet = library()
        path = context.fetch(self.from_)
        try:
            with parquet.ParquetFile(path, memory_map=False, pre_buffer=False) as source:
                exact = any(arrow.types.is_decimal(each.type) or each.type.num_fields for each in source.schema_arrow)
                return records.stored(context, self._rows(arrow, source), exact=exact)
        except arrow.ArrowInvalid as error:
            raise TaskFailed(f"The file is no Parquet: {error}.") from None

    @staticmethod
    def _rows(arrow: Any, source: Any) -> Iterator[object]:
        for batch in source.iter_batches(AT_ONCE):
            columns = [_micros(arrow, column) for column in batch.columns]
            yield from arrow.RecordBatch.from_arrays(columns, names=batch.schema.names).to_pylist()


class Write(Schemed, frozen=True, kw_only=True):
    """Turn a file of records into Parquet."""

    type_name: ClassVar[str] = "parquet.write"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.serdes.parquet.IonToParquet",
        "io.kestra.plugin.serdes.parquet.ParquetWriter",
    )
    outputs: ClassVar[dict[str, str]] = MADE
    example: ClassVar[dict[str, object]] = {"from": "{{ outputs.query.uri }}", "compressionCodec": "ZSTD"}

    compression_codec: Annotated[
        str, Meta(description="UNCOMPRESSED, SNAPPY, GZIP, ZSTD, LZ4 or BROTLI.", examples=["ZSTD"])
    ] = "GZIP"
    version: Annotated[str, Meta(description="V1 or V2: how data pages are written.")] = "V2"
    row_group_size: Annotated[int | None, Meta(description="Read and not used: memory bounds a row group.")] = None
    page_size: Annotated[int | None, Meta(description="Size of a page.", extra={"unit": "bytes"})] = None
    dictionary_page_size: Annotated[int | None, Meta(description="Size of a dictionary's page.")] = None

    def libraries(self) -> tuple[str, ...]:
        """pyarrow."""
        return ("pyarrow",)

    def run(self, context: Context) -> dict[str, object]:
        """Turn it."""
        arrow, parquet = library()
        found, rows = self.begin(records.rows(context.fetch(self.from_)))
        counted = schema.Counted(self.fitted(found, rows, context))
        target = context.workdir / "records.parquet"
        codec = self.compression_codec.upper()
        options = {
            "compression": CODECS.get(codec, codec),
            "data_page_version": "1.0" if self.version.upper().endswith("1") else "2.0",
            "data_page_size": self.page_size,
            "dictionary_pagesize_limit": self.dictionary_page_size,
        }
        try:
            wanted = arrow.schema(columns(arrow, found))
            with parquet.ParquetWriter(target, wanted, **options) as writer:
                source = iter(counted)
                while batch := list(itertools.islice(source, AT_ONCE)):
                    writer.write_table(arrow.Table.from_pylist(batch, wanted))
                    context.progress(counted.count, unit="records")
        except (arrow.ArrowException, ValueError, TypeError) as error:
            raise TaskFailed(f"Record {counted.count} or one shortly before it cannot be written: {error}.") from None
        return self.told(context, target, counted.count)


def columns(arrow: Any, found: Schema) -> list[Any]:
    """The columns that a schema of records means."""
    fields = cast("list[dict[str, Any]]", cast("dict[str, object]", found)["fields"])
    return [arrow.field(each["name"], column(arrow, each["type"])) for each in fields]


def column(arrow: Any, kind: Any) -> Any:
    """The type of a column."""
    if isinstance(kind, list):
        branches = [each for each in kind if each != "null"]
        return column(arrow, branches[0]) if len(branches) == 1 else arrow.string()
    if isinstance(kind, str):
        kind = {"type": kind}
    match kind["type"]:
        case "record":
            return arrow.struct(columns(arrow, kind))
        case "array":
            return arrow.list_(column(arrow, kind["items"]))
        case "map":
            return arrow.map_(arrow.string(), column(arrow, kind["values"]))
        case str() as name:
            return _plain(arrow, name, kind)
        case other:
            return column(arrow, other)


def _plain(arrow: Any, name: str, kind: dict[str, Any]) -> Any:
    match kind.get("logicalType", name):
        case "boolean":
            return arrow.bool_()
        case "int":
            return arrow.int32()
        case "long":
            return arrow.int64()
        case "float":
            return arrow.float32()
        case "double":
            return arrow.float64()
        case "bytes" | "fixed":
            return arrow.binary()
        case "decimal":
            return arrow.decimal128(kind["precision"], kind.get("scale", 0))
        case "date":
            return arrow.date32()
        case "time-millis" | "time-micros":
            return arrow.time64("us")
        case "timestamp-millis" | "timestamp-micros" as each:
            return arrow.timestamp("ms" if each.endswith("millis") else "us", "UTC")
        case "local-timestamp-millis" | "local-timestamp-micros" as each:
            return arrow.timestamp("ms" if each.endswith("millis") else "us")
        case _:
            return arrow.string()


def _micros(arrow: Any, values: Any) -> Any:
    """A column whose instants are no finer than Python's."""
    kind = values.type
    if arrow.types.is_timestamp(kind) and kind.unit == "ns":
        return values.cast(arrow.timestamp("us", kind.tz), safe=False)
    if arrow.types.is_time64(kind) and kind.unit == "ns":
        return values.cast(arrow.time64("us"), safe=False)
    return values


def library() -> tuple[Any, Any]:
    """The library and its part for Parquet; MissingExtra when it is not installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtra(
            "Parquet needs the package pyarrow.", hint="Install it with `pip install 'penstock[parquet]'`."
        ) from None
    return pyarrow, pyarrow.parquet
