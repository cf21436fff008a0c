"""Only who holds both keys reads, and only what was sealed for that user."""

import os

import pytest

from magpie_services.profile.vault import Unreadable, Vault


def test_what_was_sealed_opens_again() -> None:
    vault = Vault(os.urandom(32))
    key, wrapped = vault.new_key("u1")
    assert vault.unwrap(wrapped, "u1") == key
    assert vault.open(key, vault.seal(key, b"portrait", "u1"), "u1") == b"portrait"


def test_a_blob_or_key_of_another_user_does_not_open() -> None:
    vault = Vault(os.urandom(32))
    key, wrapped = vault.new_key("u1")
    with pytest.raises(Unreadable):
        vault.open(key, vault.seal(key, b"portrait", "u1"), "u2")
    with pytest.raises(Unreadable):
        vault.unwrap(wrapped, "u2")


def test_without_the_service_key_or_unchanged_text_nothing_opens() -> None:
    vault = Vault(os.urandom(32))
    key, wrapped = vault.new_key("u1")
    with pytest.raises(Unreadable):
        Vault(os.urandom(32)).unwrap(wrapped, "u1")
    sealed = bytearray(vault.seal(key, b"portrait", "u1"))
    sealed[-1] ^= 1
    with pytest.raises(Unreadable):
        vault.open(key, bytes(sealed), "u1")
    with pytest.raises(Unreadable):
        vault.open(key, b"", "u1")


def test_a_key_of_the_wrong_size_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Vault(b"short")
