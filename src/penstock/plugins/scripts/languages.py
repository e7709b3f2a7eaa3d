"""Which languages can a script be written in, how is a file of each run, and how does one get what runs it?"""

from __future__ import annotations

import re
from typing import Final

import msgspec

SCRIPT_FILE: Final = ".penstock-script"
MODULE: Final = re.compile(r"^\s*(?:import\s+[\w*{\"']|export\s)", re.MULTILINE)
FOREIGN: Final = re.compile(r'^\s*(?:import\s+)?(?:[\w.]+\s+)?"[^"/]+\.[^"]+"', re.MULTILINE)
PUBLIC_CLASS: Final = re.compile(r"^\s*public\s+(?:final\s+)?(?:class|record|interface|enum)\s+(\w+)", re.MULTILINE)


class Language(msgspec.Struct, frozen=True, kw_only=True):
    """One language. `runs`: programs with arguments that run a file, of which the first that is there is taken;
    `interpreter`: what takes commands in place of the shell; `image`: where a container would have it.
    """

    name: str
    title: str
    runs: tuple[str, ...]
    suffix: str
    image: str
    apt: str = ""
    brew: str = ""
    site: str
    hello: str
    command: str
    interpreter: tuple[str, ...] = ()

    @property
    def remedy(self) -> str:
        """How to get what runs it."""
        ways = [f"`apt-get install {self.apt}`"] if self.apt else []
        ways += [f"`brew install {self.brew}`"] if self.brew else []
        return f"{', '.join(ways)}, or {self.site}" if ways else self.site

    @property
    def absent(self) -> str:
        """What to say of a script for which no program was found."""
        programs = " or ".join(f'"{run.partition(" ")[0]}"' for run in self.runs)
        return f"there is no {self.title} where the task runs (no {programs} in its PATH). It comes by {self.remedy}."

    @property
    def perhaps_absent(self) -> str:
        """What to say when commands did not find a program, which may be another one."""
        return f"a program was not found. Should it be {self.title}: it comes by {self.remedy}."

    def file_of(self, source: str) -> str:
        """The name under which a source is put into the working directory: some languages read more than the text."""
        match self.name:
            case "node" if MODULE.search(source):
                return f"{SCRIPT_FILE}.mjs"
            case "go":  # which reads over files that begin with a dot
                return "penstock_script.go"
            case "jbang":
                public = PUBLIC_CLASS.search(source)
                return f"{public[1] if public else 'PenstockScript'}.java"
            case _:
                return f"{SCRIPT_FILE}{self.suffix}"

    def lines_of(self, source: str, *, search: bool) -> list[str]:
        """Shell lines that run the file of a source; `search` for the first of several programs that is there."""
        name = self.file_of(source)
        before = []
        if self.name == "go" and FOREIGN.search(source):
            before = ["[ -f go.mod ] || go mod init script", "go mod tidy"]
        if len(self.runs) == 1 or not search:
            return [*before, f"{self.runs[0]} {name}"]
        tried = [f"if command -v {run.partition(' ')[0]} >/dev/null; then exec {run} {name}; fi" for run in self.runs]
        return [*before, *tried, "exit 127"]


_POWERSHELL: Final = ("pwsh", "-NoProfile", "-NonInteractive")

LANGUAGES: Final = {
    language.name: language
    for language in (
        Language(
            name="bun",
            title="Bun",
            runs=("bun run",),
            suffix=".ts",
            image="oven/bun",
            brew="bun",
            site="https://bun.sh",
            hello="console.log('hello');\n",
            command="bun run main.ts",
        ),
        Language(
            name="deno",
            title="Deno",
            runs=("deno run --allow-all --no-prompt",),
            suffix=".ts",
            image="denoland/deno",
            brew="deno",
            site="https://deno.com",
            hello="console.log('hello');\n",
            command="deno run main.ts",
        ),
        Language(
            name="dotnet",
            title=".NET",
            runs=("dotnet-script", "dotnet run"),
            suffix=".cs",
            image="mcr.microsoft.com/dotnet/sdk:10.0",
            brew="dotnet",
            site="https://dotnet.microsoft.com (10 or newer, or the tool dotnet-script)",
            hello='Console.WriteLine("hello");\n',
            command="dotnet run",
        ),
        Language(
            name="go",
            title="Go",
            runs=("go run",),
            suffix=".go",
            image="golang",
            apt="golang-go",
            brew="go",
            site="https://go.dev",
            hello='package main\n\nfunc main() {\n\tprintln("hello")\n}\n',
            command="go run main.go",
        ),
        Language(
            name="groovy",
            title="Groovy",
            runs=("groovy",),
            suffix=".groovy",
            image="groovy",
            apt="groovy",
            brew="groovy",
            site="https://groovy-lang.org",
            hello="println 'hello'\n",
            command="groovy main.groovy",
        ),
        Language(
            name="jbang",
            title="JBang",
            runs=("jbang",),
            suffix=".java",
            image="jbangdev/jbang-action",
            brew="jbangdev/tap/jbang",
            site="https://www.jbang.dev",
            hello='void main() {\n  System.out.println("hello");\n}\n',
            command="jbang Hello.java",
        ),
        Language(
            name="julia",
            title="Julia",
            runs=("julia",),
            suffix=".jl",
            image="julia",
            apt="julia",
            brew="julia",
            site="https://julialang.org",
            hello='println("hello")\n',
            command="julia main.jl",
        ),
        Language(
            name="lua",
            title="Lua",
            runs=("lua", "lua5.4", "lua5.3", "luajit"),
            suffix=".lua",
            image="nickblah/lua",
            apt="lua5.4",
            brew="lua",
            site="https://www.lua.org",
            hello="print('hello')\n",
            command="lua main.lua",
        ),
        Language(
            name="node",
            title="Node.js",
            runs=("node", "nodejs"),
            suffix=".js",
            image="node",
            apt="nodejs",
            brew="node",
            site="https://nodejs.org",
            hello="console.log('hello');\n",
            command="node main.js",
        ),
        Language(
            name="perl",
            title="Perl",
            runs=("perl",),
            suffix=".pl",
            image="perl",
            apt="perl",
            brew="perl",
            site="https://www.perl.org",
            hello='print "hello\\n";\n',
            command="perl main.pl",
        ),
        Language(
            name="php",
            title="PHP",
            runs=("php",),
            suffix=".php",
            image="php",
            apt="php-cli",
            brew="php",
            site="https://www.php.net",
            hello='<?php echo "hello\\n";\n',
            command="php main.php",
        ),
        Language(
            name="powershell",
            title="PowerShell",
            runs=(" ".join(_POWERSHELL) + " -File", "powershell -NoProfile -NonInteractive -File"),
            suffix=".ps1",
            image="ghcr.io/kestra-io/powershell:latest",
            brew="powershell",
            site="https://learn.microsoft.com/powershell",
            hello="Write-Output 'hello'\n",
            command="Write-Output 'hello'",
            interpreter=(*_POWERSHELL, "-Command"),
        ),
        Language(
            name="r",
            title="R",
            runs=("Rscript",),
            suffix=".R",
            image="r-base",
            apt="r-base-core",
            brew="r",
            site="https://www.r-project.org",
            hello='cat("hello\\n")\n',
            command="Rscript main.R",
        ),
        Language(
            name="ruby",
            title="Ruby",
            runs=("ruby",),
            suffix=".rb",
            image="ruby",
            apt="ruby",
            brew="ruby",
            site="https://www.ruby-lang.org",
            hello="puts 'hello'\n",
            command="ruby main.rb",
        ),
    )
}
