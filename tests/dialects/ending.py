"""Does a topic of cases end as it ended in the engines? Asked by two pages of tests, so that two workers share them."""

from __future__ import annotations

from tools.oracle.cases import allowed, topics
from tools.oracle.flows import compared, shown

# Topics of these sections are about the flow itself; the others about what stands in it.
OF_FLOWS = ("1-", "2-", "3-", "4-", "5-", "6-")
NAMES = [topic.name for topic in topics()]
ABOUT_FLOWS = [name for name in NAMES if name.startswith(OF_FLOWS)]
ABOUT_TASKS = [name for name in NAMES if not name.startswith(OF_FLOWS)]


def check_topic(name: str) -> None:
    """Every case ends as it ended there, but for those that are said to differ; and these still do."""
    said = {case for topic, case in allowed() if topic == name}
    differing = [seen for seen in compared([name]) if seen.differing]
    unsaid = [seen for seen in differing if seen.case not in said]
    assert not unsaid, "\n".join(map(shown, unsaid))
    healed = said - {seen.case for seen in differing}
    assert not healed, f"no difference any more, so no line of differences.yml: {sorted(healed)}"
