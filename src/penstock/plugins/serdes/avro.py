"""How does a flow turn Avro into records, and records into Avro?"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from msgspec import Meta

from penstock.errors.task import MissingExtra
from penstock.plugins.serdes import records, schema
from penstock.plugins.serdes.options import MADE, RECORDS, Serde
from penstock.plugins.serdes.schema import Schemed
from penstock.sdk.context import Context
from penstock.sdk.task import TaskFailed


class Read(Serde, frozen=True, kw_only=True):
    """Turn an Avro file into a file of records."""

    type_name: ClassVar[str] = "avro.read"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.serdes.avro.AvroToIon",
        "io.kestra.plugin.serdes.avro.AvroReader",
    )
    outputs: ClassVar[dict[str, str]] = RECORDS
    example: ClassVar[dict[str, object]] = {"from": "{{ outputs.download.uri }}"}

    def libraries(self) -> tuple[str, ...]:
        """fastavro."""
        return ("fastavro",)

    def run(self, context: Context) -> dict[str, object]:
        """Turn it."""
        avro = library()
        with context.fetch(self.from_).open("rb") as source:
            try:
                reader = avro.reader(source)
                return records.stored(context, reader, exact="decimal" in str(reader.writer_schema))
            except (ValueError, EOFError) as error:
                raise TaskFailed(f"The file is no Avro: {error}") from None


class Write(Schemed, frozen=True, kw_only=True):
    """Turn a file of records into Avro."""

    type_name: ClassVar[str] = "avro.write"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.serdes.avro.IonToAvro",
        "io.kestra.plugin.serdes.avro.AvroWriter",
    )
    outputs: ClassVar[dict[str, str]] = MADE
    example: ClassVar[dict[str, object]] = {
        "from": "{{ outputs.query.uri }}",
        "schema": '{"type": "record", "name": "order", "fields": [{"name": "id", "type": "long"}]}',
    }

    compression_codec: Annotated[str, Meta(description="How blocks are compressed.", examples=["deflate"])] = "null"

    def libraries(self) -> tuple[str, ...]:
        """fastavro."""
        return ("fastavro",)

    def run(self, context: Context) -> dict[str, object]:
        """Turn it."""
        avro = library()
        found, rows = self.begin(records.rows(context.fetch(self.from_)))
        counted = schema.Counted(self.fitted(found, rows, context))
        target = context.workdir / "records.avro"
        try:
            parsed = avro.parse_schema(found)
            with target.open("wb") as file:
                avro.writer(file, parsed, counted, codec=self.compression_codec.lower())
        except (ValueError, TypeError, KeyError, avro.schema.SchemaParseException) as error:
            raise TaskFailed(f"Record {counted.count} cannot be written by the schema: {error}") from None
        return self.told(context, target, counted.count)


def library() -> Any:
    """The library; MissingExtra when it is not installed."""
    try:
        import fastavro
        import fastavro.schema
    except ImportError:
        raise MissingExtra(
            "Avro needs the package fastavro.", hint="Install it with `pip install 'penstock[avro]'`."
        ) from None
    return fastavro
