"""Of which texts, numbers, maps and spans are random flows made?"""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

SECOND: Final = 1_000_000
TEMPLATES: Final = ("{{ flow.id }}", "{{ 1 + 1 }}", "{% if true %}\na{% endif %}", "a {{ 'b' }}\n", "{{ [1, 2] }}")

words = st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9_]{0,7}", fullmatch=True)
plain_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="{}"), max_size=20)
odd_text = st.sampled_from(
    ["", "yes", "0x1F", "1.10", "1e5", "~", "null", "- a", "a: b", "#x", "a # b", " a", "a ", "'", '"', "a\n", "\n",
     "a\nb", " a\n b", "a\n\n\nb\n", "a\n\n", "\ta", "a\t\n", "<<", "=", "!x", "&x", "*x", "@", "`", "%", "|", ">",
     "12:30", "2016-01-02", ".5", "+1", "1_000", "0o7", "a\r\nb", "\x07", "\x85", "\u2028", "\ufeff", "---", "...",
     "[]", "é", "?"]
)  # fmt: skip
texts = plain_text | odd_text
templates = st.sampled_from(TEMPLATES)
mixed = texts | templates
spans = st.integers(0, 400 * 86_400 * SECOND)
times = spans.filter(bool)
flags = st.booleans()
scalars = (
    st.none() | flags | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | mixed
)
values: SearchStrategy[object] = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)
maps = st.dictionaries(words, values, max_size=3)
labels = st.dictionaries(words, texts, max_size=2)
# Those of a flow are looked for, so that their keys are names and no value is empty.
own_labels = st.dictionaries(words.map(lambda word: f"a{word}"), texts.filter(bool), max_size=2)
maybe_span = st.none() | spans


def some(kind: type[Any], /, **parts: SearchStrategy[Any]) -> SearchStrategy[Any]:
    """Values of a kind, some of whose fields are made by strategies."""
    return st.builds(kind, **parts)


def own_names(properties: dict[str, object]) -> dict[str, object]:
    """Properties under names that no task has anyway."""
    return {f"own_{name}": value for name, value in properties.items()}
