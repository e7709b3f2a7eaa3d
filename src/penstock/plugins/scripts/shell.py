"""How does a flow run shell commands?"""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from penstock.plugins.scripts.options import Script
from penstock.sdk.launch import Launch, LaunchContext


class ShellScript(Script, frozen=True, kw_only=True):
    """Run a shell script in a process of its own."""

    type_name: ClassVar[str] = "shell.script"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.scripts.shell.Script",)
    example: ClassVar[dict[str, object]] = {"script": "for n in 1 2 3; do\n  echo $n\ndone\n"}

    script: Annotated[str, Meta(description="The script.", examples=["echo hello"])]

    def launch(self, plan: LaunchContext) -> Launch:
        """A shell with the script."""
        return self.shell(plan, [self.script])


class ShellCommands(Script, frozen=True, kw_only=True):
    """Run shell commands, one after the other, in one shell."""

    type_name: ClassVar[str] = "shell.commands"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.scripts.shell.Commands",)
    example: ClassVar[dict[str, object]] = {"commands": ["echo hello", "ls -l"]}

    commands: Annotated[list[str], Meta(description="The commands.", examples=[["echo hello"]])]

    def launch(self, plan: LaunchContext) -> Launch:
        """A shell with the commands."""
        return self.shell(plan, self.commands)
