"""Which provider lets people in, as the settings say? Secrets come from the environment."""

from __future__ import annotations

from penstock.app.open import App
from penstock.errors.access import NoProvider
from penstock.services.access.oidc import Provider
from penstock.settings.read import expanded


def provider_of(app: App) -> Provider:
    """The provider of logins. Raises NoProvider where the settings name none."""
    named = app.project.settings.oidc
    if named is None:
        raise NoProvider("Nobody logs in by a provider here.")
    return Provider(
        issuer=named.issuer,
        client_id=named.client_id,
        client_secret=expanded(named.client_secret),
        callback=named.callback,
        scopes=named.scopes,
        create=named.create,
    )
