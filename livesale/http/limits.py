"""Rate limits: how often an address and an account may call one web process. Loopback peers are left out.

Generic cell rate: one time stamp a key says when its bucket is full again, so an idle key can be forgotten.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from ipaddress import ip_network

from livesale.http.peers import Peer
from livesale.kernel.refusals import Refusal

MOST_KEYS = 50_000


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_s` calls a second in the long run, `burst` of them at once."""

    per_s: float
    burst: int


@dataclass(frozen=True, slots=True)
class Limits:
    """Per web process. One address may be a whole school or a mobile carrier, hence its generous rate."""

    address: Rate = Rate(100, 400)
    account: Rate = Rate(20, 100)
    entry: Rate = Rate(0.2, 20)  # signing in and registering, by address: twelve a minute


class Buckets:
    """One bucket a key, all of the same rate."""

    def __init__(self, rate: Rate) -> None:
        self._step_s = 1 / rate.per_s
        self._slack_s = self._step_s * (rate.burst - 1)
        self._full_at: dict[str, float] = {}

    def take(self, key: str, now_s: float) -> float:
        """Take one; 0 when there was one, else the seconds until there is."""
        full_at = max(self._full_at.get(key, 0.0), now_s)
        wait_s = full_at - now_s - self._slack_s
        if wait_s > 1e-9:
            return wait_s
        if len(self._full_at) >= MOST_KEYS and key not in self._full_at:
            self._forget(now_s)
        self._full_at[key] = full_at + self._step_s
        return 0.0

    def _forget(self, now_s: float) -> None:
        kept = {key: at for key, at in self._full_at.items() if at > now_s}
        if len(kept) >= MOST_KEYS:  # a flood of addresses: the older half starts afresh
            kept = dict(list(kept.items())[MOST_KEYS // 2 :])
        self._full_at = kept


class Limiter:
    """The buckets of one application."""

    def __init__(self, limits: Limits) -> None:
        self._address = Buckets(limits.address)
        self._account = Buckets(limits.account)
        self._entry = Buckets(limits.entry)

    def admit(self, peer: Peer, entry: bool) -> None:
        """Refusal rate_limited when the peer's address has called too often; `entry`: signing in or registering."""
        if peer.local:
            return
        key, now_s = bucket_of(peer.address), time.monotonic()
        _refuse(self._address.take(key, now_s))
        if entry:
            _refuse(self._entry.take(key, now_s))

    def admit_account(self, peer: Peer, account: str) -> None:
        """Refusal rate_limited when the account has called too often."""
        if not peer.local:
            _refuse(self._account.take(account, time.monotonic()))


def bucket_of(address: str) -> str:
    """What one subscriber holds: an IPv4 address, or an IPv6 network of 64 bits."""
    return str(ip_network(f"{address}/64", strict=False)) if ":" in address else address


def _refuse(wait_s: float) -> None:
    if wait_s > 0:
        raise Refusal("rate_limited", "Too many requests. Please wait a moment.", retry_after_s=math.ceil(wait_s))
