"""Keys of people: Ed25519 (RFC 8032), one a person, kept outside the repository.

Belongs here: making, reading and using a key. Does not belong here: what is signed (`locking`,
`registers`) and whose key counts (the plan's sheet `people`).

A key file is `<person>.key`: the 32 secret bytes in hexadecimal and a line feed, readable by its
owner alone. It is the person's signature: who can read it can sign as them.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

PUBLIC_KEY = re.compile(r"[0-9a-f]{64}")
SIGNATURE = re.compile(r"[0-9a-f]{128}")
_PERSON = re.compile(r"[a-z0-9][a-z0-9._-]*")
_SECRET = re.compile(r"[0-9a-f]{64}\n")
#: The points of small order (sign bit cleared): anybody can make signatures that "verify" with
#: them, and OpenSSL accepts them. All encodings of the curve's eight, see RFC 8032, 5.1.
_WEAK = frozenset(
    bytes.fromhex(text)
    for text in (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    )
)


class KeyFileError(ValueError):
    """A key cannot be made or read; says where, what was found and what to do."""


@dataclass(frozen=True, repr=False)
class SigningKey:
    """A person's secret key; it is never shown, only used."""

    _seed: bytes

    @classmethod
    def from_seed(cls, seed: bytes) -> SigningKey:
        """The key of 32 secret bytes."""
        if len(seed) != 32:
            raise ValueError(f"found {len(seed)} bytes, expected 32")
        return cls(seed)

    @cached_property
    def public_key(self) -> str:
        """64 hexadecimal digits, for the sheet `people`."""
        return self._private.public_key().public_bytes_raw().hex()

    def sign(self, message: bytes) -> str:
        """The signature, 128 hexadecimal digits."""
        return self._private.sign(message).hex()

    @cached_property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self._seed)


@dataclass(frozen=True)
class GivenSignature:
    """A signature made on another machine, in the place of a key: it signs that message only."""

    public_key: str
    signature: str

    def sign(self, message: bytes) -> str:
        """The signature; raises KeyFileError where it is not over `message`."""
        if not is_signed_by(self.public_key, message, self.signature):
            raise KeyFileError(
                "the signature given is not over this row: a value differs, the register has grown"
                " since, or somebody else signed; have the row signed again"
            )
        return self.signature


def create_key(person: str, folder: Path) -> str:
    """Make a key for `person` in `folder` and return its public half (64 hexadecimal digits).

    Raises KeyFileError where that person has a key there: a key that was signed with is never
    overwritten.
    """
    path = key_file(person, folder)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = SigningKey.from_seed(secrets.token_bytes(32))
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError as error:
        raise KeyFileError(
            f"{path}: found a key, expected none; it is kept. To replace a lost or stolen key, move"
            " the file away, make a new one and amend the plan's sheet people"
        ) from error
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"{key._seed.hex()}\n")
        file.flush()
        os.fsync(descriptor)
    return key.public_key


def load_key(person: str, folder: Path) -> SigningKey:
    """The key of `person` in `folder`; raises KeyFileError where it cannot be used."""
    path = key_file(person, folder)
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii") if stat.S_ISREG(mode) else ""
    except FileNotFoundError as error:
        raise KeyFileError(
            f"{path}: found no key; make one with `tieout plan key {person}`, or set TIEOUT_KEYS to"
            " the folder that holds it"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(f"{path}: cannot be read: {error}") from error
    if mode & 0o077:
        raise KeyFileError(
            f"{path}: found the mode {stat.S_IMODE(mode):04o}, expected 0600: others could sign as"
            f" {person}. If nobody has copied it: chmod 600 {path}"
        )
    if not _SECRET.fullmatch(text):
        raise KeyFileError(f"{path}: found no key of 64 hexadecimal digits and a line feed")
    return SigningKey.from_seed(bytes.fromhex(text))


def key_file(person: str, folder: Path) -> Path:
    """Where a person's key stands; raises KeyFileError for what is no short name."""
    if not _PERSON.fullmatch(person):
        raise KeyFileError(f"found the person {person!r}, expected letters, digits, . _ - only")
    return folder / f"{person}.key"


def is_usable(public_key: str) -> bool:
    """Whether it is a public key that only its owner can sign for."""
    if not PUBLIC_KEY.fullmatch(public_key):
        return False
    raw = bytes.fromhex(public_key)
    return raw[:31] + bytes([raw[31] & 0x7F]) not in _WEAK


def is_signed_by(public_key: str, message: bytes, signature: str) -> bool:
    """Whether `signature` is that key's over `message`; lower-case hexadecimal counts only."""
    if not is_usable(public_key) or not SIGNATURE.fullmatch(signature):
        return False
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(bytes.fromhex(signature), message)
    except (InvalidSignature, ValueError):
        return False
    return True
