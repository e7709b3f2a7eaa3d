"""What is built once for a process? The only floor that reads settings and names a database."""

from penstock.app.open import App, open_app
from penstock.app.places import Where, locate

__all__ = ["App", "Where", "locate", "open_app"]
