"""Do the written pages hold together, and do they speak of nothing but the project?"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from tests.house.source import ROOT, files, offenders, texts

# Pages that everyone looks for.
EXPECTED = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE", "docs/decisions/README.md")

# Assembled from pieces, so that this page does not offend against itself.
MACHINE = re.compile(r"(?<![\w.-])/(?:work|root|home)/[\w.-]+")
ADDRESS = re.compile(r"(?i)index-url[ =]+https?://|//[\w.-]*(?:artifactory|nexus|devpi)[\w.-]*/")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")

# Where a path that looks like a machine's is meant, each with its reason.
MEANT: dict[str, str] = {}


def test_every_page_that_people_look_for_is_there() -> None:
    missing = [path for path in EXPECTED if not (ROOT / path).is_file()]

    assert not missing, offenders("Missing pages", missing)


def test_every_link_between_our_pages_leads_somewhere() -> None:
    broken = [
        f"{path}: {target}"
        for path, text in texts(".md")
        for target in LINK.findall(outside_code(text))
        if not re.match(r"[a-z]+:|#", target)
        if not (ROOT / PurePosixPath(path).parent / target.partition("#")[0]).exists()
    ]

    assert not broken, offenders("Links that lead nowhere", broken)


def test_no_text_names_a_path_of_one_machine() -> None:
    found = [
        f"{path}:{number} {line.strip()[:120]}"
        for path, text in texts()
        if path not in MEANT
        for number, line in enumerate(text.splitlines(), 1)
        if MACHINE.search(line) or ADDRESS.search(line)
    ]

    assert not found, offenders("Paths or addresses of one machine", found)


def test_no_text_points_at_a_page_that_only_its_writer_has() -> None:
    """A page is cited by its path in the repository; one that is not in it cannot be read by anyone else."""
    known = {PurePosixPath(path).name for path in files()}
    found = [
        f"{path}: {name}"
        for path, text in texts(".py", ".sql", ".md", ".yml", ".yaml", ".toml", "Makefile")
        for name in re.findall(r"\b[A-Z]{4,}\.md\b", text)
        if name not in known
    ]

    assert not found, offenders("Pages that are cited and not here", found)


def test_every_decision_has_its_three_parts_and_stands_in_the_index() -> None:
    index = (ROOT / "docs/decisions/README.md").read_text(encoding="utf-8")
    decisions = {path: text for path, text in texts(".md") if path.startswith("docs/decisions/0")}

    incomplete = [
        f"{path}: {part}"
        for path, text in decisions.items()
        for part in ("## Context", "## Decision", "## Price")
        if part not in text
    ]
    unlisted = [path for path in decisions if PurePosixPath(path).name not in index]

    assert decisions
    assert not incomplete, offenders("Decisions without a part", incomplete)
    assert not unlisted, offenders("Decisions that the index does not list", unlisted)


def test_the_changelog_begins_with_what_is_not_released_yet() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)

    assert headings
    assert headings[0] == "Unreleased"


def outside_code(text: str) -> str:
    """A Markdown text without its code blocks and code words."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S))
