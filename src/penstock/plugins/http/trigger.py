"""Which trigger looks at an address, and starts a run when the answer is what it waits for?"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from msgspec import Meta

from penstock.errors.task import NotOffered
from penstock.plugins.http.options import HttpTask
from penstock.plugins.http.request import ANSWERED, answered
from penstock.sdk.context import Ask, Context
from penstock.sdk.task import Fires, Outcome, Outputs, Result, TaskFailed

# As conditions are true everywhere in the language.
UNTRUE = ("", "false", "0", "-0")


class Trigger(HttpTask, frozen=True, kw_only=True):
    """Ask an address, and start a run when the answer meets a condition; a status alone is no failure."""

    type_name: ClassVar[str] = "http.trigger"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.core.http.Trigger", "io.kestra.plugin.fs.http.Trigger")
    fires: ClassVar[Fires] = Fires.POLLING
    outputs: ClassVar[dict[str, str]] = ANSWERED
    example: ClassVar[dict[str, object]] = {
        "uri": "https://example.org/api/orders/new",
        "responseCondition": "{{ response.statusCode == 200 and (response.body | length) > 2 }}",
    }

    response_condition: Annotated[
        str,
        Meta(
            description="What must be true of `response`: its statusCode, its body as text, its headers.",
            extra={"template": False},
        ),
    ] = "{{ response.statusCode < 400 }}"
    encrypt_body: Annotated[
        bool, Meta(description="Not offered: an answer is not encrypted; secrets are masked in logs.")
    ] = False

    def run(self, context: Context) -> Outputs:
        """Look once."""
        if self.encrypt_body:
            raise NotOffered("An answer cannot be encrypted here.", hint="Leave encryptBody out.")
        told = answered(self, context)
        response = {"statusCode": told["code"], "body": told["body"], "headers": told["headers"]}
        asked: Any = context.ask(Ask.ROWS_RENDER, template=self.response_condition, rows=[{"response": response}])
        if "error" in asked[0]:
            raise TaskFailed(f"responseCondition: {asked[0]['error']}")
        said = str(asked[0]["value"]).strip()
        return Result(outcome=Outcome.SKIPPED) if said in UNTRUE else told
