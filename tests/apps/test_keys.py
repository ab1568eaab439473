"""Keys: made once, kept for good, for their owner's eyes only."""

import stat

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from livesale.apps.keys import make_keys


def test_keys_are_made_once(tmp_path):
    """A second start changes no key; each is 32 bytes and readable by its owner only."""
    folder = make_keys(tmp_path)
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    make_keys(tmp_path)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first
    assert set(first) == {
        "ticket.key",
        "ticket.pub",
        "relay.key",
        "tag.key",
        "token.key",
        "address.key",
        "sandbox.key",
        "vapid.key",
        "ledger.key",
        "ledger.pub",
    }
    assert {len(key) for key in first.values()} == {32}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_pairs_belong_together(tmp_path):
    """A lost public key is derived anew from its private one."""
    folder = make_keys(tmp_path)
    (folder / "ledger.pub").unlink()
    make_keys(tmp_path)
    private = Ed25519PrivateKey.from_private_bytes((folder / "ledger.key").read_bytes())
    signature = private.sign(b"head")
    private.public_key().verify(signature, b"head")
    assert (folder / "ledger.pub").read_bytes() == private.public_key().public_bytes_raw()


def test_half_written_key_is_not_used(tmp_path):
    """A crash while a key is written leaves a draft that the next start replaces."""
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / ".token.key.new").write_bytes(b"half")
    assert len((make_keys(tmp_path) / "token.key").read_bytes()) == 32
