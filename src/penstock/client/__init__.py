"""How is a server asked from Python? `Client(url, token)`, in the shapes of its API, with errors as they are here."""

from penstock.client.client import Client, log_in
from penstock.client.runs import Wanted, Which
from penstock.client.times import Span

__all__ = ["Client", "Span", "Wanted", "Which", "log_in"]
