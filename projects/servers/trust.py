"""Whom does the wheel's Java trust? Whom the machine trusts: its own list knows nothing of what was added there."""

from __future__ import annotations

import contextlib
import re
import ssl
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12Certificate, serialize_java_truststore

# It holds nothing secret; Java asks for one.
WORD: Final = "penstock"
PEM: Final = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


def trust_options(folder: Path) -> list[str]:
    """The options by which a Java trusts the machine's authorities; none where the machine names no file of them.

    Writes the file for Java into the folder.
    """
    named: str | None = ssl.get_default_verify_paths().cafile
    if named is None:
        return []
    entries = [PKCS12Certificate(each, str(number).encode()) for number, each in enumerate(_read(Path(named)))]
    store = folder / "authorities.p12"
    store.write_bytes(serialize_java_truststore(entries, BestAvailableEncryption(WORD.encode())))
    return [f"-Djavax.net.ssl.trustStore={store}", f"-Djavax.net.ssl.trustStorePassword={WORD}"]


def _read(file: Path) -> Iterator[x509.Certificate]:
    """The authorities of a file, without those that are too old in their form to be read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for text in PEM.findall(file.read_bytes()):
            with contextlib.suppress(ValueError):
                yield x509.load_pem_x509_certificate(text)
