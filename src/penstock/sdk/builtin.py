"""Where are our own task types? Name → module and class, alias → name; written by `tools/task_index.py`."""

from __future__ import annotations

from typing import Final

TYPES: Final[dict[str, str]] = {
    "assert": "penstock.plugins.core.execution:Assert",
    "echo": "penstock.plugins.core.debug:Echo",
    "fail": "penstock.plugins.core.execution:Fail",
    "log": "penstock.plugins.core.log:Log",
    "output.values": "penstock.plugins.core.execution:OutputValues",
    "python.commands": "penstock.plugins.scripts.python:PythonCommands",
    "python.function": "penstock.plugins.scripts.python:PythonFunction",
    "python.script": "penstock.plugins.scripts.python:PythonScript",
    "return": "penstock.plugins.core.debug:Return",
    "shell.commands": "penstock.plugins.scripts.shell:ShellCommands",
    "shell.script": "penstock.plugins.scripts.shell:ShellScript",
    "sleep": "penstock.plugins.core.flow:Sleep",
}

ALIASES: Final[dict[str, str]] = {
    "io.kestra.core.tasks.debugs.Echo": "echo",
    "io.kestra.core.tasks.debugs.Return": "return",
    "io.kestra.core.tasks.executions.Fail": "fail",
    "io.kestra.core.tasks.flows.Sleep": "sleep",
    "io.kestra.core.tasks.log.Log": "log",
    "io.kestra.plugin.core.debug.Echo": "echo",
    "io.kestra.plugin.core.debug.Return": "return",
    "io.kestra.plugin.core.execution.Assert": "assert",
    "io.kestra.plugin.core.execution.Fail": "fail",
    "io.kestra.plugin.core.flow.Sleep": "sleep",
    "io.kestra.plugin.core.log.Log": "log",
    "io.kestra.plugin.core.output.OutputValues": "output.values",
    "io.kestra.plugin.scripts.python.Commands": "python.commands",
    "io.kestra.plugin.scripts.python.Script": "python.script",
    "io.kestra.plugin.scripts.shell.Commands": "shell.commands",
    "io.kestra.plugin.scripts.shell.Script": "shell.script",
}
