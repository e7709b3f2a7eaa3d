"""Which addresses are about secrets?"""

from __future__ import annotations

from typing import Final

from penstock.api.handlers import secrets
from penstock.api.route import Route, Where
from penstock.api.shapes.lists import Page
from penstock.api.shapes.secrets import KeysTurned, RotateAsked, SecretPut, SecretRow, SecretsAsked, SecretsVerified
from penstock.model.access import Action

SECRETS: Final = "/v1/secrets/{namespace}"
SECRET: Final = f"{SECRETS}/{{name}}"
KEYS: Final = "/v1/secret-keys"

ROUTES: Final = (
    Route(
        method="GET",
        path=SECRETS,
        summary="The names of a namespace's own secrets, a page at a time; never their texts.",
        handler=secrets.list_secrets,
        where=Where.PATH,
        action=Action.SECRETS_VIEW,
        query=SecretsAsked,
        answer=Page[SecretRow],
    ),
    Route(
        method="PUT",
        path=SECRET,
        summary="Keep a secret, new or changed; runs that ask for it from now on get the new text.",
        handler=secrets.put_secret,
        where=Where.PATH,
        action=Action.SECRETS_EDIT,
        body=SecretPut,
        answer=SecretRow,
    ),
    Route(
        method="DELETE",
        path=SECRET,
        summary="Forget a secret.",
        handler=secrets.delete_secret,
        where=Where.PATH,
        action=Action.SECRETS_EDIT,
    ),
    Route(
        method="GET",
        path=KEYS,
        summary="Whether every secret can be unsealed, and by which master keys.",
        handler=secrets.verify_secrets,
        where=Where.WHOLE,
        action=Action.SECRETS_VIEW,
        answer=SecretsVerified,
    ),
    Route(
        method="POST",
        path=f"{KEYS}/rotate",
        summary="Seal all secrets anew, by new keys; nothing needs to restart.",
        handler=secrets.rotate_secrets,
        where=Where.WHOLE,
        action=Action.SECRETS_EDIT,
        body=RotateAsked,
        answer=KeysTurned,
    ),
)
