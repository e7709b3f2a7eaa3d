"""Is every form of a database's address read?"""

from __future__ import annotations

import pytest

from penstock.errors.task import BadAddress
from penstock.plugins.sql.address import Database, read_address


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("jdbc:postgresql://db:5433/shop", {"host": "db", "port": "5433", "dbname": "shop"}),
        ("jdbc:postgresql://db/shop", {"host": "db", "port": "5432", "dbname": "shop"}),
        ("jdbc:postgresql://[::1]:5/shop", {"host": "::1", "port": "5", "dbname": "shop"}),
        ("jdbc:postgresql://a:1,b/shop", {"host": "a,b", "port": "1,5432", "dbname": "shop"}),
        ("jdbc:postgresql:shop", {"dbname": "shop"}),
        (
            "jdbc:postgresql://db/shop?user=u&password=p%40&ssl=true&currentSchema=dw,public&prepareThreshold=0",
            {
                "host": "db",
                "port": "5432",
                "dbname": "shop",
                "user": "u",
                "password": "p@",
                "sslmode": "require",
                "options": "-c search_path=dw,public",
            },
        ),
    ],
)
def test_jdbc_addresses_of_postgresql(url: str, options: dict[str, str]) -> None:
    address = read_address(url)

    assert (address.database, address.options) == (Database.POSTGRES, options)


@pytest.mark.parametrize("url", ["postgresql://u@h/d", "postgres://h/d", "host=h dbname=d"])
def test_postgresqls_own_addresses_are_handed_on(url: str) -> None:
    address = read_address(url)

    assert (address.database, address.conninfo) == (Database.POSTGRES, url)


@pytest.mark.parametrize(
    ("url", "database", "path"),
    [
        ("jdbc:sqlite:shop.db", Database.SQLITE, "shop.db"),
        ("jdbc:sqlite:/data/shop.db", Database.SQLITE, "/data/shop.db"),
        ("sqlite:///data/shop.db?cache=shared", Database.SQLITE, "/data/shop.db"),
        ("jdbc:sqlite::memory:", Database.SQLITE, ""),
        ("jdbc:duckdb:", Database.DUCKDB, ""),
        ("jdbc:duckdb:sales.duckdb", Database.DUCKDB, "sales.duckdb"),
        ("duckdb:sales.duckdb", Database.DUCKDB, "sales.duckdb"),
    ],
)
def test_addresses_of_files(url: str, database: Database, path: str) -> None:
    address = read_address(url)

    assert (address.database, address.path) == (database, path)


@pytest.mark.parametrize("url", ["", "jdbc:derby://h:1527/x", "mongodb://root:hunter2@h/d?password=hunter2"])
def test_other_addresses_are_refused_without_telling_a_password(url: str) -> None:
    with pytest.raises(BadAddress) as refused:
        read_address(url)

    assert "hunter2" not in str(refused.value)
    assert "jdbc:postgresql://" in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "mongodb://root:hunter2@h/d",
        "mongodb://root:a/hunter2@h/d",
        "mongodb://root:hunter2/a@h/d",
        "mongodb://root:a:hunter2@h/d",
        "mongodb://root:hunter2:a@b@h/d",
        "u:a:hunter2@h",
        "jdbc:derby:u/hunter2@h",
        "jdbc:derby://h/x?Password=hunter2",
        "jdbc:derby://h/x?PASSWORD=a/hunter2&b=c",
        "jdbc:derby://h;PWD=hunter2;a=b",
        "jdbc:derby://h;pwd={a;hunter2};a=b",
        "user=u password='a hunter2'",
        "jdbc:postgresql://u:hunter2/a@h/d",
    ],
)
def test_no_form_of_a_password_is_told(url: str) -> None:
    with pytest.raises(BadAddress) as refused:
        read_address(url)

    assert "hunter2" not in str(refused.value)
