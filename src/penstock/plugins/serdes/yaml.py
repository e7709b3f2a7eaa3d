"""How does a flow turn YAML into records, and records into YAML?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from penstock.plugins.serdes import records
from penstock.plugins.serdes.options import MADE, RECORDS, Serde
from penstock.sdk.context import Context
from penstock.sdk.plain import plain
from penstock.sdk.task import TaskFailed


class Read(Serde, frozen=True, kw_only=True):
    """Turn YAML into a file of records: one per document, or one per entry of a document that is a list."""

    type_name: ClassVar[str] = "yaml.read"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.serdes.yaml.YamlToIon",)
    outputs: ClassVar[dict[str, str]] = RECORDS
    example: ClassVar[dict[str, object]] = {"from": "{{ inputs.file }}"}

    def run(self, context: Context) -> dict[str, object]:
        """Turn it."""
        import yaml

        def found() -> Iterator[object]:
            with records.opened(context.fetch(self.from_), self.charset) as source:
                try:
                    for document in yaml.load_all(source, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
                        if isinstance(document, list):
                            yield from document
                        else:
                            yield document
                except yaml.YAMLError as error:
                    raise TaskFailed(f"The file is no YAML: {error}") from None

        return records.stored(context, found(), exact=True)


class Write(Serde, frozen=True, kw_only=True):
    """Turn a file of records into YAML: one list."""

    type_name: ClassVar[str] = "yaml.write"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.serdes.yaml.IonToYaml",)
    outputs: ClassVar[dict[str, str]] = MADE

    def run(self, context: Context) -> dict[str, object]:
        """Turn it."""
        import yaml

        source = context.fetch(self.from_)
        target = context.workdir / "records.yaml"
        dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
        count = 0
        with target.open("w", encoding=self.charset) as file:
            for record in records.read(source):
                file.write(yaml.dump([plain(record)], Dumper=dumper, allow_unicode=True, sort_keys=False))
                count += 1
            if count == 0:
                file.write("[]\n")
        return self.told(context, target, count)
