"""What does an attempt in Python leave behind? The same lines as one in a shell, each written whole."""

import os
import time


def tell(word: str) -> None:
    """Append one line to the ledger."""
    names = [os.environ[f"PENSTOCK_{name}"] for name in ("RUN", "STEP", "ATTEMPT")]
    ledger = os.open(os.environ["HOME"] + "/ledger", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(ledger, f"{' '.join(names)} {word}\n".encode())
    os.close(ledger)


def work(seconds: float = 0.02) -> None:
    """Begin, take a while, be done."""
    tell("began")
    time.sleep(seconds)
    tell("did")
