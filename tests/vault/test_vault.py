"""Does the source `vault` get what a real Vault keeps, and does it say so when that refuses, is sealed, or is gone?"""

from __future__ import annotations

import json

import pytest

from penstock.clock import ManualClock, SystemClock
from penstock.errors.secrets import SecretsUnreachable
from penstock.services.secrets.vault import OfVault, Place
from tests.servers import server_folder
from tests.vault.served import RealVault, real_vault

__all__ = ["real_vault", "server_folder"]

pytestmark = pytest.mark.long
WHERE = ["shop.daily", "shop.weekly", "other"]


def place(vault: RealVault, policy: str = "all", **more: object) -> Place:
    """How a worker of ours enters it."""
    role, proof = vault.role(policy, **more)
    return Place(address=vault.address, role=role, secret=proof)


def test_a_role_reads_the_newest_version_of_the_nearest_namespace(real_vault: RealVault) -> None:
    for path, text in {"shop/daily/KEY": "daily", "shop/KEY": "old", "KEY": "all"}.items():
        real_vault.keep(f"penstock/{path}", value=text)
    real_vault.keep("penstock/shop/KEY", value="shop")
    real_vault.keep("penstock/shop/DB", user="ann", password="p")
    real_vault.keep("penstock/shop/GONE", value="x")
    real_vault.call("DELETE", "secret/data/penstock/shop/GONE")
    source = OfVault(place(real_vault), SystemClock().steady)

    assert [source.get(where, "KEY") for where in WHERE] == ["daily", "shop", "all"]
    assert json.loads(source.get("shop", "DB") or "") == {"user": "ann", "password": "p"}
    assert [source.get("shop", name) for name in ("NONE", "GONE", "a b?c")] == [None, None, None]


def test_what_a_policy_does_not_allow_is_an_error_that_names_the_place(real_vault: RealVault) -> None:
    real_vault.keep("penstock/other/KEY", value="other")
    real_vault.keep("penstock/shop/KEY", value="shop")
    source = OfVault(place(real_vault, "shop"), SystemClock().steady)

    assert source.get("shop", "KEY") == "shop"
    with pytest.raises(SecretsUnreachable, match="does not let us read penstock/other/KEY"):
        source.get("other", "KEY")


def test_a_token_that_was_revoked_or_ran_out_gives_way_to_another(real_vault: RealVault) -> None:
    real_vault.keep("penstock/shop/KEY", value="shop")
    clock = ManualClock()
    source = OfVault(place(real_vault, "all", token_ttl="40s"), clock.steady)
    before = len(real_vault.call("LIST", "auth/token/accessors")["data"]["keys"])

    assert source.get("shop", "KEY") == "shop"
    assert source.get("shop", "KEY") == "shop"
    assert len(real_vault.call("LIST", "auth/token/accessors")["data"]["keys"]) == before + 1
    clock.advance(35_000_000)
    assert source.get("shop", "KEY") == "shop"
    assert len(real_vault.call("LIST", "auth/token/accessors")["data"]["keys"]) == before + 2
    for accessor in real_vault.call("LIST", "auth/token/accessors")["data"]["keys"]:
        told = real_vault.call("POST", "auth/token/lookup-accessor", {"accessor": accessor})["data"]
        if told["path"] == "auth/approle/login":
            real_vault.call("POST", "auth/token/revoke-accessor", {"accessor": accessor})
    assert source.get("shop", "KEY") == "shop"


def test_a_wrong_proof_and_a_wrong_token_are_errors_without_what_was_given(real_vault: RealVault) -> None:
    role, _ = real_vault.role("all")
    for wrong in (
        Place(address=real_vault.address, role=role, secret="wr0ng"),
        Place(address=real_vault.address, token="wr0ng"),
    ):
        with pytest.raises(SecretsUnreachable) as error:
            OfVault(wrong, SystemClock().steady).get("shop", "KEY")
        assert "wr0ng" not in str(error.value) and real_vault.address in str(error.value)


def test_a_sealed_server_is_an_error_until_it_is_unsealed(real_vault: RealVault) -> None:
    real_vault.keep("penstock/shop/KEY", value="shop")
    source = OfVault(place(real_vault), SystemClock().steady)
    assert source.get("shop", "KEY") == "shop"

    real_vault.seal()
    try:
        with pytest.raises(SecretsUnreachable, match="answers 503"):
            source.get("shop", "KEY")
    finally:
        real_vault.unseal()

    assert source.get("shop", "KEY") == "shop"
