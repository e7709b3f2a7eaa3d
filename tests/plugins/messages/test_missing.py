"""Does a task whose library is not installed say how to get it?"""

from __future__ import annotations

import sys

import pytest

from penstock.sdk.local import LocalContext

URLS = {
    "mysql": "jdbc:mysql://h/x",
    "clickhouse": "jdbc:clickhouse://h/x",
    "trino": "jdbc:trino://h/x",
    "sqlserver": "jdbc:sqlserver://h",
    "snowflake": "jdbc:snowflake://h",
    "oracle": "jdbc:oracle:thin:@//h/x",
    "vertica": "jdbc:vertica://h/x",
}
LIBRARIES = {
    "mysql": "pymysql",
    "clickhouse": "clickhouse_connect.dbapi",
    "trino": "trino.dbapi",
    "sqlserver": "pymssql",
    "snowflake": "snowflake.connector",
    "oracle": "oracledb",
    "vertica": "vertica_python",
    "redis": "redis",
    "mqtt": "paho.mqtt.client",
    "amqp": "pika",
    "kafka": "confluent_kafka",
}
TASKS: dict[str, tuple[str, dict[str, object]]] = {
    **{extra: ("sql.query", {"url": url, "sql": "SELECT 1"}) for extra, url in URLS.items()},
    "redis": ("redis.get", {"url": "redis://h", "key": "k"}),
    "mqtt": ("mqtt.publish", {"server": "tcp://h", "topic": "t", "from": 1}),
    "amqp": ("amqp.create_queue", {"host": "h", "name": "q"}),
    "kafka": ("kafka.produce", {"properties": {"bootstrap.servers": "h"}, "topic": "t", "from": []}),
}


@pytest.mark.parametrize("extra", LIBRARIES)
def test_the_command_that_installs_it_is_told(local: LocalContext, monkeypatch: pytest.MonkeyPatch, extra: str) -> None:
    monkeypatch.setitem(sys.modules, LIBRARIES[extra], None)
    name, properties = TASKS[extra]

    told = local.run(name, properties)

    assert told.failure is not None
    assert told.failure["code"] == "PS-704"
    assert f"pip install 'penstock[{extra}]'" in str(told.failure["message"])
