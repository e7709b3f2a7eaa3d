"""Is what people do wrong on a command line told in a sentence with its code and what helps, and nothing else done?"""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Penstock


def test_a_store_of_another_kind_is_refused_and_no_folder_of_its_name_is_made(penstock: Penstock, folder: Path) -> None:
    said = penstock("serve", "--store", "mysql://somebody:word@db/penstock")

    assert said.code == 2
    assert "PS-601  No store can be kept at mysql://…" in said.err
    assert "postgresql://user@host/database" in said.err
    assert "word" not in said.err
    assert [path.name for path in folder.iterdir()] == ["hello.yml"]


def test_a_database_that_is_away_is_told_as_a_sentence_with_its_place(penstock: Penstock) -> None:
    said = penstock("worker", "--store", "postgresql://somebody:word@127.0.0.1:1/penstock")

    assert said.code == 4
    assert said.err.startswith('PS-403  The database "penstock" at 127.0.0.1 cannot be reached: ')
    assert "refused. Is the address right, and the server up?" in said.err
    assert "word" not in said.err


def test_a_folder_that_is_not_there_is_told(penstock: Penstock) -> None:
    said = penstock("serve", "-C", "nowhere")

    assert (said.code, said.err) == (2, "PS-602  There is no folder nowhere.\n")


def test_a_word_that_is_no_command_is_told_with_the_nearest(penstock: Penstock) -> None:
    first, second = penstock("srve"), penstock("runs", "lst")

    assert (first.code, second.code) == (2, 2)
    assert 'There is no command "srve". Did you mean "serve"?' in first.err
    assert 'There is no command "lst". Did you mean "list"?' in second.err


def test_a_name_is_refused_as_what_it_was_to_name(penstock: Penstock) -> None:
    assert '"a b" cannot name a worker' in penstock("worker", "--name", "a b").err
    assert '"x/y" cannot name a server' in penstock("serve", "--name", "x/y", "--port", "0").err
