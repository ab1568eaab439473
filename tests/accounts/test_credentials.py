"""An issuer's word proves an age when it is theirs, for us, for this request and now; else it proves nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livesale.accounts.credentials import Asked, issuer_of, nonce_in, read_issuers
from livesale.kernel.refusals import Refusal
from tests.accounts.issuer import AUDIENCE, ISSUER, Key, Wallet, b64, digest, issuers, token

NOW = 1_795_000_000
NONCE = "00" * 40
ASKED = Asked("age_over_18", AUDIENCE, NONCE, NOW)
ISSUERS = {alg: Key(alg) for alg in ("ES256", "EdDSA")}
KEY = ISSUERS["ES256"]


def refused(credential: str, trusted: dict[str, list[dict[str, str]]] | None = None) -> str:
    """Why it proves nothing; empty when it does."""
    try:
        issuer_of(credential, ASKED, issuers(KEY) if trusted is None else trusted)
    except Refusal as refusal:
        return refusal.detail
    return ""


@pytest.mark.parametrize("alg", ISSUERS)
def test_a_signed_token_proves_it(alg: str) -> None:
    """ES256 and EdDSA alike; what comes out is who said it."""
    assert issuer_of(token(ISSUERS[alg], NONCE, NOW), ASKED, issuers(ISSUERS[alg])) == ISSUER


@pytest.mark.parametrize("alg", ISSUERS)
def test_a_wallet_s_credential_proves_it(alg: str) -> None:
    """An SD-JWT with only the age disclosed, shown by its holder; holder and issuer may have keys of different kinds."""
    shown = Wallet(ISSUERS[alg], NOW, holder=Key("EdDSA")).show(NONCE, NOW)
    assert issuer_of(shown, ASKED, issuers(ISSUERS[alg])) == ISSUER
    assert nonce_in(shown) == NONCE


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"aud": "https://other.example"}, "somebody else"),
        ({"aud": None}, "somebody else"),
        ({"nonce": "11" * 40}, "another request"),
        ({"nonce": None}, "another request"),
        ({"exp": NOW}, "expired"),
        ({"exp": None}, "no credential we can read"),
        ({"iat": NOW + 600}, "not valid yet"),
        ({"nbf": NOW + 600}, "not valid yet"),
        ({"age_over_18": False}, "does not say age_over_18"),
        ({"age_over_18": "true"}, "does not say age_over_18"),
        ({"age_over_18": None, "age_over_16": True}, "does not say age_over_18"),
        ({"iss": "https://evil.example"}, "none of those we trust"),
    ],
)
def test_every_claim_of_a_token_counts(changed: dict[str, object], why: str) -> None:
    """Each one changed alone, and the token proves nothing."""
    assert why in refused(token(KEY, NONCE, NOW, **changed))


@pytest.mark.parametrize(
    ("header", "why"),
    [({"alg": "none"}, "not signed in a way"), ({"alg": "HS256"}, "not signed in a way"), ({"alg": "EdDSA"}, "signature"),
     ({"crit": ["b64"]}, "not signed in a way"), ({"kid": "other"}, "signature")],
)  # fmt: skip
def test_the_header_cannot_choose_a_weaker_way(header: dict[str, object], why: str) -> None:
    """No unsigned token, no shared secret, no key of another kind, no extension unknown to us."""
    assert why in refused(token(KEY, NONCE, NOW, header=header))


def test_a_forged_signature() -> None:
    """Another key's signature, a changed claim under the old one, and an empty one."""
    assert "signature" in refused(token(Key(), NONCE, NOW))
    header, _, signature = token(KEY, NONCE, NOW, age_over_18=False).split(".")
    claims = b64(json.dumps({"iss": ISSUER, "exp": NOW + 9, "age_over_18": True}).encode())
    assert "signature" in refused(f"{header}.{claims}.{signature}")
    assert "signature" in refused(f"{header}.{claims}.")


@pytest.mark.parametrize(
    ("changed", "why"),
    [({"aud": "https://other.example"}, "somebody else"), ({"nonce": "11" * 40}, "another request"),
     ({"iat": NOW - 301}, "another time"), ({"sd_hash": digest("x")}, "something else"), ({"by": Key()}, "signature")],
)  # fmt: skip
def test_every_part_of_a_showing_counts(changed: dict[str, object], why: str) -> None:
    """A showing for somebody else, of another time, of other disclosures, or by whoever found the credential."""
    assert why in refused(Wallet(KEY, NOW).show(NONCE, NOW, **changed))  # type: ignore[arg-type]


def test_what_a_wallet_discloses() -> None:
    """Nothing disclosed, an age not reached, a claim the issuer never signed, and a credential its holder did not sign."""
    wallet, other = Wallet(KEY, NOW), Wallet(KEY, NOW, age_over_18=False)
    assert "does not say" in refused(wallet.show(NONCE, NOW, disclose=()))
    assert "does not say" in refused(wallet.show(NONCE, NOW, disclose=("family_name",)))
    assert "does not say" in refused(other.show(NONCE, NOW))
    other.disclosures["age_over_18"] = wallet.disclosures["age_over_18"]
    assert "has not signed" in refused(other.show(NONCE, NOW))
    assert "holder has not signed" in refused(f"{wallet.credential}~{wallet.disclosures['age_over_18']}~")
    assert "no SD-JWT" in refused(token(KEY, NONCE, NOW) + "~")


@settings(max_examples=200)
@given(st.text(max_size=60) | st.text("abcAB01._~-=", max_size=60))
def test_garbage_is_refused(text: str) -> None:
    """Whatever is sent, it is a refusal and never a crash."""
    assert refused(text)
    assert nonce_in(text) == ""


def test_the_issuers_file() -> None:
    """Keys of the two kinds are taken; an RSA key is a fault told at the start."""
    text = json.dumps({ISSUER: {"keys": [KEY.jwk, ISSUERS["EdDSA"].jwk]}})
    assert len(read_issuers(text)[ISSUER]) == 2
    with pytest.raises(ValueError, match="neither P-256 nor Ed25519"):
        read_issuers(json.dumps({ISSUER: {"keys": [{"kty": "RSA", "n": "x", "e": "AQAB"}]}}))
