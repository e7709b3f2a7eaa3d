"""What becomes of a request to a webhook? Who knows the key of a flow's trigger starts a run; all else is not there."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Container, Mapping
from typing import Final

import msgspec

from penstock import expr
from penstock.errors import PenstockError
from penstock.errors.api import BadSignature, NoSuchAddress
from penstock.errors.store import StoreError
from penstock.model.plan import Plan
from penstock.model.policy import SECOND
from penstock.model.run import Run
from penstock.model.trigger import Signature, Webhook
from penstock.services import firing, starting
from penstock.services.core import Core
from penstock.services.preview import scope
from penstock.services.render import calls_in
from penstock.store import feed, flows, runs, triggers
from penstock.store.port import Tx
from penstock.store.triggers import State
from penstock.telemetry import Level
from penstock.telemetry.traces import HEADER

# When it fired last is told this coarsely: a row that each of many requests writes would hold them all up.
COARSE: Final = SECOND
WITHIN: Final = 64


class Knock(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it came: header names in lower case; what may stand several times is a list. `key` makes a request
    that is said again safe.
    """

    body: bytes = b""
    headers: Mapping[str, list[str]] = {}
    parameters: Mapping[str, list[str]] = {}
    key: str = ""


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """What a request has come to: the run that it started, none where a condition of the trigger does not hold."""

    run: str
    trigger: Webhook


def knock(core: Core, namespace: str, flow_id: str, key: str, asked: Knock) -> Opened:
    """Start a run by a request. Raises NoSuchAddress, the same for whatever is not there, and BadSignature."""
    plan, trigger, state = _door(core, namespace, flow_id, key)
    if trigger.signature is not None:
        _check(core, plan, trigger.signature, asked)
    said = f"webhook/{state.key}/{asked.key}" if asked.key else ""
    known = core.store.glance(lambda tx: runs.by_key(tx, said)) if said else None
    if known:
        return Opened(run=known, trigger=trigger)
    seen = {"body": body_of(asked.body), "headers": dict(asked.headers), "parameters": dict(asked.parameters)}
    trace = next(iter(asked.headers.get(HEADER, ())), "")
    beginning, problem = firing.begun(core, plan, trigger, said, seen, trace)
    if beginning is None:
        return Opened(run="", trigger=trigger)
    now = core.clock.now()
    if problem:
        core.notices.say("trigger.failed", now, Level.WARNING, trigger=state.key, why=problem)
    moved = firing.fired(state, beginning, problem, now)
    tells = problem != state.known.problem or trigger.stop_after or now - (state.last_at or 0) >= COARSE

    def let(tx: Tx) -> Container[str]:
        if tells and triggers.locked(tx, [state.key]).get(state.key) == state.version:
            triggers.put(tx, [moved])
            feed.append(tx, [("trigger", moved.key, moved.version)], now)
        return {beginning.run}

    return Opened(run=starting.insert(core, [beginning], let)[0], trigger=trigger)


def body_of(body: bytes) -> object:
    """What a body says: JSON as its value, else text; nothing where it is empty."""
    if not body:
        return None
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body.decode(errors="replace")


def outputs_of(run: Run, opened: Opened) -> dict[str, object]:
    """The outputs of a run that a webhook may tell: those of one that has ended, where the trigger says so."""
    tells = opened.trigger.returns_outputs and run.status.ended
    return dict(run.outputs or {}) if tells else {}


def signature_of(signed: Signature, secret: str, text: bytes) -> str:
    """The signature that a text must have."""
    made = hmac.digest(secret.encode(), text, getattr(hashlib, signed.algorithm))
    return made.hex() if signed.encoding == "hex" else base64.b64encode(made).decode()


def _door(core: Core, namespace: str, flow_id: str, key: str) -> tuple[Plan, Webhook, State]:
    """The trigger that a key opens. Raises NoSuchAddress."""
    newest = core.store.glance(lambda tx: flows.newest(tx, namespace, flow_id))
    plan = core.plan(namespace, flow_id, newest) if newest is not None else None
    found: Webhook | None = None
    for each in plan.flow.triggers if plan is not None and not plan.flow.disabled else ():
        if isinstance(each, Webhook) and not each.disabled and _same(_key_of(core, plan, each), key):
            found = found or each
    if plan is None or found is None:
        raise _nothing()
    wanted = triggers.key_of(namespace, flow_id, found.id)
    state = core.store.glance(lambda tx: triggers.get(tx, wanted))
    if state is None or state.off_by or state.revision != newest or _stopped(core, found, state):
        raise _nothing()
    return plan, found, state


def _key_of(core: Core, plan: Plan | None, trigger: Webhook) -> str:
    """The key as it is now; empty, which opens nothing, where it cannot be made out."""
    if plan is None:
        return ""
    try:
        return _rendered(core, plan, trigger.key)
    except StoreError:
        raise
    except PenstockError as error:
        key = triggers.key_of(plan.flow.namespace, plan.flow.id, trigger.id)
        core.notices.say("trigger.failed", core.clock.now(), Level.WARNING, trigger=key, why=str(error))
        return ""


def _rendered(core: Core, plan: Plan, text: str) -> str:
    calls = calls_in(core, plan.flow.namespace, set())
    return str(expr.render(text, scope(plan.flow, {}), calls))


def _stopped(core: Core, trigger: Webhook, state: State) -> bool:
    """Whether the end of its last run keeps a trigger from firing."""
    if not trigger.stop_after or not state.known.run:
        return False
    last: Run | None = core.store.glance(lambda tx: runs.load(tx, state.known.run))
    return last is not None and last.status in trigger.stop_after


def _check(core: Core, plan: Plan, signed: Signature, asked: Knock) -> None:
    """Raises BadSignature where a request is not what the holder of the secret has sent."""
    given = asked.headers.get(signed.header.lower(), [""])[0].strip()
    secret = _rendered(core, plan, signed.secret)
    if not secret:
        raise BadSignature("The webhook has no secret to compare a signature with.")
    if signed.tolerance is None:
        if not given.startswith(signed.prefix) or not _same(
            signature_of(signed, secret, asked.body), given.removeprefix(signed.prefix)
        ):
            raise BadSignature(f'The header "{signed.header}" does not hold the signature of this body.')
        return
    parts = [part.strip().partition("=") for part in given.split(",")[:WITHIN]]
    at = next((value for name, _, value in parts if name == "t"), "")
    if not (at.isascii() and at.isdigit() and len(at) < 12):
        raise BadSignature(f'The header "{signed.header}" does not say when it was signed.')
    if abs(core.clock.now() - int(at) * SECOND) > signed.tolerance:
        raise BadSignature("The request was signed too long ago, or by a clock that is wrong.")
    wanted = signature_of(signed, secret, f"{at}.".encode() + asked.body)
    named = signed.prefix or "v1"
    if not any(_same(wanted, value) for name, _, value in parts if name == named):
        raise BadSignature(f'The header "{signed.header}" does not hold the signature of this body.')


def _same(wanted: str, given: str) -> bool:
    """Whether two texts are the same, found out in the same time whatever they have in common; nothing is never."""
    same = hmac.compare_digest(wanted.encode(errors="surrogatepass"), given.encode(errors="surrogatepass"))
    return same and bool(wanted)


def _nothing() -> NoSuchAddress:
    return NoSuchAddress("Nothing is served at this address.")
