"""Which task types does each language get? A script in it, and commands of a shell that find it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Final

import msgspec
from msgspec import Meta

from penstock.plugins.scripts import inside
from penstock.plugins.scripts.languages import LANGUAGES, Language
from penstock.plugins.scripts.options import Script, localize
from penstock.sdk.launch import Launch, LaunchContext

STRICT: Final = "$ErrorActionPreference = 'Stop'; $PSNativeCommandUseErrorActionPreference = $true"


class LanguageScript(Script, frozen=True, kw_only=True):
    """What a script in any language but Python and the shell's declares."""

    language: ClassVar[Language]

    script: Annotated[str, Meta(description="The source.")]

    def launch(self, plan: LaunchContext) -> Launch:
        """The source in a file, and a shell that runs it with the first program that can."""
        source, found = localize(self.script)
        own, language = self.interpreter is not None, self.language
        if language.interpreter and self.before_commands and not own:
            launch = _in_its_shell(self, plan, [f"& ./{language.file_of(source)}", "exit $LASTEXITCODE"])
        else:
            launch = self.shell(plan, language.lines_of(source, search=not own))
        files = {**launch.input_files, **inside.beside(source), **found, language.file_of(source): source}
        return msgspec.structs.replace(launch, input_files=files, not_found=language.absent)


class LanguageCommands(Script, frozen=True, kw_only=True):
    """What commands for a language declare."""

    language: ClassVar[Language]

    commands: Annotated[list[str], Meta(description="The commands.")]

    def launch(self, plan: LaunchContext) -> Launch:
        """A shell with the commands; where the language is a shell's itself, that one."""
        language = self.language
        if language.interpreter and self.interpreter is None:
            launch = _in_its_shell(self, plan, self.commands)
            return msgspec.structs.replace(launch, not_found=language.absent)
        launch = self.shell(plan, self.commands)
        return msgspec.structs.replace(launch, not_found=language.perhaps_absent)


def _in_its_shell(task: LanguageScript | LanguageCommands, plan: LaunchContext, commands: Sequence[str]) -> Launch:
    """The commands in a language that is a shell itself."""
    chosen = msgspec.structs.replace(task, interpreter=list(task.language.interpreter))
    return chosen.shell(plan, commands, first=[STRICT] if task.fail_fast else [])


def _script(name: str) -> Any:
    language = LANGUAGES[name]
    told = f"Run a script in {language.title} in a process of its own."
    return _made(LanguageScript, language, "Script", told, {"script": language.hello})


def _commands(name: str) -> Any:
    language = LANGUAGES[name]
    told = f"Run shell commands where {language.title} is."
    if language.interpreter:
        told = f"Run commands in {language.title}."
    return _made(LanguageCommands, language, "Commands", told, {"commands": [language.command]})


def _made(base: type[Any], language: Language, kind: str, told: str, example: dict[str, object]) -> Any:
    namespace = {
        "__doc__": told,
        "type_name": f"{language.name}.{kind.lower()}",
        "aliases": (f"io.kestra.plugin.scripts.{language.name}.{kind}",),
        "example": example,
        "image": language.image,
        "language": language,
    }
    name = f"{language.name.capitalize()}{kind}"
    return msgspec.defstruct(name, [], bases=(base,), namespace=namespace, module=__name__, frozen=True, kw_only=True)


BunScript, BunCommands = _script("bun"), _commands("bun")
DenoScript, DenoCommands = _script("deno"), _commands("deno")
DotnetScript, DotnetCommands = _script("dotnet"), _commands("dotnet")
GoScript, GoCommands = _script("go"), _commands("go")
GroovyScript, GroovyCommands = _script("groovy"), _commands("groovy")
JbangScript, JbangCommands = _script("jbang"), _commands("jbang")
JuliaScript, JuliaCommands = _script("julia"), _commands("julia")
LuaScript, LuaCommands = _script("lua"), _commands("lua")
NodeScript, NodeCommands = _script("node"), _commands("node")
PerlScript, PerlCommands = _script("perl"), _commands("perl")
PhpScript, PhpCommands = _script("php"), _commands("php")
PowershellScript, PowershellCommands = _script("powershell"), _commands("powershell")
RScript, RCommands = _script("r"), _commands("r")
RubyScript, RubyCommands = _script("ruby"), _commands("ruby")
