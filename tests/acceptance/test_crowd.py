"""What do two workers make of fifty runs at once, and of runs that belong to a command beside them?"""

from __future__ import annotations

from collections import Counter

from penstock.model.run import Run
from tests.acceptance.checks import check_settled
from tests.acceptance.observe import eventually
from tests.acceptance.project import Project

TIMES = 10
AT_ONCE = 2


def test_two_workers_do_fifty_runs_of_many_kinds_each_step_once(project: Project) -> None:
    project.settings(attempts=4)
    fan = project.flow("fan", fan_out(project))
    workers = [project.worker("one"), project.worker("two")]
    top = project.start(fan)

    project.finished(top, 90)

    runs = project.runs()
    kinds = Counter(run.flow for run in runs)
    assert kinds == {"fan": 1, "chain": TIMES, "wide": TIMES, "loop": TIMES, "shaky": TIMES, "narrow": TIMES}
    assert {run.status for run in runs} == {"success"}
    assert most_at_once(project.lines()) <= AT_ONCE, "the limit of the flow holds across workers"
    told = Counter(project.lines())
    assert [line for line, count in told.items() if count > 1] == [], "nothing was done twice"
    assert len(told) == TIMES * 2 * (3 + 4 + 3 + 1 + 1) + TIMES * 2
    check_settled(project, [run.id for run in runs], *workers)
    assert len({end.worker for run in runs for end in project.ends(run.id)} - {""}) == 2, "both had a share"


def test_a_commands_run_is_its_own_while_it_lives_and_anybodys_when_it_is_dead(project: Project) -> None:
    worker = project.worker("standing")
    steps = [project.step("one"), project.step("two", gate="go"), project.step("three")]
    whole, mine = project.run(project.flow("whole", *steps))
    other, others = project.run(project.flow("other", *(step.replace("id: ", "id: x") for step in steps)))
    eventually(lambda: len(project.lines("begin two")) == 2, "both are in their middle")

    other.kill()
    eventually(lambda: len(set(holders(project, others))) == 2, "somebody adopts what was the dead one's", 5)
    project.open("go")

    assert whole.ended() == 0
    check_settled(project, [mine, others], worker)
    assert {run.status for run in project.runs()} == {"success"}
    assert len(set(holders(project, mine))) == 1
    assert holders(project, mine)[0].startswith("cli-")
    (dead, *adopters) = holders(project, others)
    assert dead.startswith("cli-")
    assert dead not in adopters
    assert dead not in holders(project, mine)


def test_two_commands_beside_each_other_do_what_is_theirs(light: Project) -> None:
    project = light
    flow = project.flow("chain", *(project.step(f"s{number}", script="sleep 0.05") for number in range(6)))
    one, first = project.run(flow)
    two, second = project.run(flow)

    assert [one.ended(), two.ended()] == [0, 0]
    check_settled(project, [first, second])
    (mine,), (others,) = set(holders(project, first)), set(holders(project, second))
    assert mine != others


def fan_out(project: Project) -> str:
    """A loop that starts a run of each kind of flow for each value, all at once."""
    line = 'echo "{} $PENSTOCK_RUN $PENSTOCK_STEP" >> ' + str(project.trace)
    plain = f"type: shell.commands\ncommands: ['{line.format('begin')}', 'sleep 0.02', '{line.format('end')}']"

    def task(name: str, more: str = "") -> str:
        return f"- id: {name}\n" + "".join(f"  {part}\n" for part in f"{plain}\n{more}".splitlines())

    wide = "- id: all\n  type: parallel\n  tasks:\n" + indented("".join(task(f"w{number}") for number in range(4)))
    loop = "- id: each\n  type: foreach\n  values: [1, 2, 3]\n  concurrencyLimit: 0\n  tasks:\n" + indented(
        task("inner")
    )
    shaky = task("shaky", "retry: {type: constant, interval: PT0.1S, maxAttempts: 2}").replace(
        "commands: [",
        f"commands: ['echo $PENSTOCK_RUN try $PENSTOCK_ATTEMPT >> {project.trace}; [ $PENSTOCK_ATTEMPT = 2 ]', ",
    )
    project.flow("chain", "".join(task(f"c{number}") for number in range(3)))
    project.flow("wide", wide)
    project.flow("loop", loop)
    project.flow("shaky", shaky)
    project.flow("narrow", task("narrow"), more=f"concurrency: {{limit: {AT_ONCE}, behavior: QUEUE}}\n")
    kinds = "".join(
        f"- id: start-{kind}\n  type: subflow\n  namespace: acc\n  flowId: {kind}\n"
        for kind in ("chain", "wide", "loop", "shaky", "narrow")
    )
    together = "- id: together\n  type: parallel\n  tasks:\n" + indented(kinds)
    values = list(range(TIMES))
    return f"- id: times\n  type: foreach\n  values: {values}\n  concurrencyLimit: 0\n  tasks:\n" + indented(together)


def indented(text: str) -> str:
    """Lines one level deeper."""
    return "".join(f"    {line}\n" for line in text.splitlines())


def most_at_once(lines: list[str]) -> int:
    """How many runs of the narrow flow were in their task at the same moment."""
    going = most = 0
    for line in lines:
        if line.endswith(" narrow"):
            going += 1 if line.startswith("begin") else -1
            most = max(most, going)
    return most


def holders(project: Project, run_id: str) -> list[str]:
    """Who did or does the steps of a run, in order."""
    run: Run = project.of(run_id)
    done = [end.worker for end in project.ends(run.id) if end.outcome == "done"]
    held = f"SELECT worker FROM claimed_attempts WHERE run_id = '{run.id}'"
    return [*done, *(str(worker) for (worker,) in project.rows(held))]
