"""Is a store on PostgreSQL the same in a schema of its own, behind a pooler, over TLS, and a wrong server refused?"""

from __future__ import annotations

import datetime
import os
import select
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from penstock.clock import SystemClock
from penstock.errors.store import StoreError, StoreGone
from penstock.store import feed, kv, queue, runs
from penstock.store.port import Tx
from penstock.store.postgres import days
from penstock.store.postgres.address import Address, read
from penstock.store.postgres.lane import Lane, PostgresTx
from penstock.store.postgres.store import PostgresStore, open_postgres, postgres_status
from projects.servers import PostgresServer
from tests.poolers import Pooler
from tests.servers import database15
from tests.store.makers import NOW, a_run, claimed, ready

__all__ = ["database15"]


@pytest.fixture(params=["direct", "pooled"])
def address(request: pytest.FixtureRequest, database15: str) -> str:
    """An empty database, and the same by way of a pooler."""
    return database15 if request.param == "direct" else request.getfixturevalue("pooler").before(database15)


def test_two_installations_in_one_database_know_nothing_of_each_other(address: str) -> None:
    with ThreadPoolExecutor(4) as crowd:
        named = [f"{address}?schema={name}" for name in ("team_a", "team_b", "team_a", "team_b")]
        first, second, *others = crowd.map(lambda one: open_postgres(one, migrate=True), named)
    with closing(first), closing(second), closing(others[0]), closing(others[1]):
        first.write(lambda tx: ready(tx, "r", "a"))
        first.write(lambda tx: kv.set_value(tx, "shop", "k", 1, now=NOW))
        for store in (first, second):
            store.tend()
            store.forget_feed(NOW)

        assert (first.read(queue.depth)[0], second.read(queue.depth)[0]) == (1, 0)
        assert others[0].glance(lambda tx: kv.get(tx, "shop", "k", NOW)) is not None
        assert others[1].glance(lambda tx: kv.get(tx, "shop", "k", NOW)) is None
        assert postgres_status(f"{address}?schema=team_b").pending == ()
    with psycopg.connect(address) as session:
        asked = "SELECT count(DISTINCT relnamespace) FROM pg_class WHERE relname = %s"
        assert session.execute("SELECT to_regclass('public.runs')").fetchone() == (None,)
        assert session.execute(asked, ["runs"]).fetchone() == (2,)
        assert session.execute(asked, [days.name_of("events", days.day_of(SystemClock().now()))]).fetchone() == (2,)


def test_sleepers_of_one_schema_are_not_woken_by_another(database15: str) -> None:
    stores = [open_postgres(f"{database15}?schema={name}", migrate=True) for name in ("team_a", "team_b")]
    with closing(stores[0]), closing(stores[1]):
        listeners = [store.listener() for store in stores]
        for listener in listeners:
            listener.arm()

        stores[0].write(lambda tx: tx.wake())

        deadline = threading.Event()
        while not listeners[0].drain():
            assert not deadline.wait(0.0)
        assert not listeners[1].drain()
        for listener in listeners:
            listener.close()


@pytest.mark.parametrize(
    ("text", "dsn", "schema"),
    [
        ("postgresql://a@h/d", "postgresql://a@h/d", ""),
        ("postgresql://a@h/d?schema=team&sslmode=require", "postgresql://a@h/d?sslmode=require", "team"),
        ("postgresql://a:b@h1,h2:6/d", "postgresql://a:b@h1,h2:6/d?target_session_attrs=read-write", ""),
        ("postgresql:///d?host=h1%2Ch2", "postgresql:///d?host=h1%2Ch2&target_session_attrs=read-write", ""),
        ("postgresql://h1,h2/d?target_session_attrs=any", "postgresql://h1,h2/d?target_session_attrs=any", ""),
    ],
)
def test_an_address_is_what_libpq_understands_and_of_several_hosts_the_one_that_writes(
    text: str, dsn: str, schema: str
) -> None:
    assert read(text) == Address(dsn, schema)


@pytest.mark.parametrize("name", ["Team", "pg_own", "1st", "a-b", "x%3B%20drop"])
def test_a_name_that_is_no_schema_is_refused(database15: str, name: str) -> None:
    with pytest.raises(StoreError, match="cannot be in a schema"):
        open_postgres(f"{database15}?schema={name}", migrate=True)


def test_a_store_behind_a_pooler_finds_that_out_and_says_its_settings_in_each_transaction(
    pooler: Pooler, database15: str
) -> None:
    with closing(open_postgres(pooler.before(database15), migrate=True)) as store, closing(Lane(database15)) as direct:
        session = store._writer.session()

        def settings(tx: Tx) -> object:
            assert isinstance(tx, PostgresTx)
            ready(tx, "r", "a")
            tx.one("queue.depth")
            (answer,) = tx._wire.ask([("SELECT current_setting('lock_timeout'), current_setting('jit')", ())])
            return tx._wire.rows(answer)[0]

        inside = store.write(settings)
        ways = [lane.pooled for lane in (session, direct.session())]

        assert ways == [True, False]
        assert inside == ("10s", "off")
        assert direct.session().execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)


def test_many_behind_a_pooler_share_few_connections_and_lose_nothing(pooler: Pooler, database15: str) -> None:
    stores = [open_postgres(pooler.before(database15), migrate=True) for _ in range(6)]

    def work(number: int) -> list[int]:
        store = stores[number]
        for step in range(10):
            store.write(partial(make_ready, run=f"r{number}", step=f"s{step}"))
            store.read(feed.head)
        return [claim.fence for _ in range(10) for claim in claimed(store, f"w{number}")]

    with ThreadPoolExecutor(6) as crowd:
        fences = [fence for found in crowd.map(work, range(6)) for fence in found]
    left = stores[0].read(queue.depth)[0]
    for store in stores:
        store.close()

    assert len(fences) == len(set(fences)) == 60
    assert left == 0


def test_who_cannot_listen_wakes_by_itself_and_wakes_those_who_can(pooler: Pooler, database15: str) -> None:
    with (
        closing(open_postgres(database15, migrate=True)) as direct,
        closing(open_postgres(pooler.before(database15))) as pooled,
    ):
        by_itself, hears = pooled.listener(), direct.listener()
        hears.arm()

        pooled.write(lambda tx: tx.wake())

        by_itself.arm()
        for listener in (hears, by_itself):
            assert select.select([listener], [], [], 20)[0]
            assert listener.drain()
            listener.close()


def test_a_server_is_trusted_by_its_certificate_alone(
    postgres15: PostgresServer, database15: str, tmp_path: Path
) -> None:
    ours, theirs = Authority("ours"), Authority("theirs")
    for one in (ours, theirs):
        (tmp_path / one.name).write_bytes(one.certificate)
    speak_tls(postgres15, *ours.vouch_for("localhost"))
    plain = database15.replace("127.0.0.1", "localhost")
    way = f"{plain}?sslmode=verify-full&sslrootcert={tmp_path}"

    with closing(open_postgres(f"{way}/ours", migrate=True)) as store:
        encrypted = encryption(store)

    assert encrypted == [True]
    with pytest.raises(StoreGone, match=r"cannot be trusted: .*certificate verify failed") as wrong:
        open_postgres(f"{way}/theirs")
    assert "sslrootcert" in wrong.value.hint
    with pytest.raises(StoreGone, match=r"cannot be trusted: .*does not match host name"):
        open_postgres(f"{way.replace('localhost', '127.0.0.1')}/ours")
    with pytest.raises(StoreGone, match=r"cannot be trusted: .*root certificate file"):
        open_postgres(f"{way}/none")


def encryption(store: PostgresStore) -> list[object]:
    """Whether each kind of connection of a store is encrypted."""
    row = store._writer.session().execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone()
    return [*(row or ())]


def speak_tls(server: PostgresServer, certificate: bytes, key: bytes) -> None:
    """Let a server that runs speak TLS, too, from the next connection on."""
    with psycopg.connect(server.dsn, autocommit=True) as session:
        ((folder,),) = session.execute("SHOW data_directory").fetchall()
        owner = Path(folder).stat()
        for name, body in (("server.crt", certificate), ("server.key", key)):
            path = Path(folder) / name
            path.write_bytes(body)
            path.chmod(0o600)
            if (owner.st_uid, owner.st_gid) != (path.stat().st_uid, path.stat().st_gid):
                os.chown(path, owner.st_uid, owner.st_gid)
        session.execute("ALTER SYSTEM SET ssl = on")
        session.execute("SELECT pg_reload_conf()")
    while True:
        with psycopg.connect(server.dsn) as session:
            if session.execute("SHOW ssl").fetchone() == ("on",):
                return


class Authority:
    """Who vouches for servers, known by a name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = self._about(self._subject, self._key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.certificate = made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def vouch_for(self, host: str) -> tuple[bytes, bytes]:
        """The certificate and the key of a server at a host."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        made = self._about(subject, key.public_key()).add_extension(names, critical=False)
        return (
            made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM),
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
        )

    def _about(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
        )


def test_a_single_question_may_lock_what_it_asks_for(address: str) -> None:
    run = a_run()
    with closing(open_postgres(address, migrate=True)) as store:
        store.write(lambda tx: runs.insert(tx, run))

        assert store.glance(lambda tx: runs.lock(tx, run.id)) == run.version


def make_ready(tx: Tx, run: str, step: str) -> None:
    """Make an attempt ready."""
    ready(tx, run, step)
