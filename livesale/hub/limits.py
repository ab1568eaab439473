"""The limits of a hub: how far behind a viewer may fall, how much is kept, how many may come."""

from __future__ import annotations

import msgspec


class Limits(msgspec.Struct, frozen=True):
    """Every number a hub decides by; PROTOCOL.md says why each has its value."""

    budget_ms: int = 500  # media time that may wait for one viewer before it is given up
    too_slow_ms: int = 10_000  # behind for longer than this: 4008
    settled_ms: int = 3_000  # without a skip for this long: no longer behind
    must_bytes: int = 256 << 10  # `must` events that may wait for one viewer
    must_delay_ms: int = 100  # a log entry waits at most this long for a media batch to travel with
    latest_tick_ms: int = 250  # `latest` and `may_drop` leave at most this often
    history_entries: int = 4_096
    history_bytes: int = 2 << 20
    max_viewers: int = 20_000  # of one hub
    max_per_tag: int = 8  # connections of one account in one show
    incoming_bytes: int = 16 << 10
    incoming_per_sweep: int = 50
    sweep_ms: int = 1_000  # presence, slow viewers
    ping_ms: int = 20_000
    silent_pings: int = 3  # pings without a sign of life: gone
    silent_edge_ms: int = 8_000  # an edge without a sign of life is gone: it pings every 2 s
    close_ms: int = 10_000  # for the closing handshake, then the connection is cut
    notsent_lowat_bytes: int = 64 << 10  # what the kernel may hold that has not been sent
    admission_ms: int = 5_000  # for an upstream's word on a ticket
    rejoins_per_s: int = 600  # how fast viewers of one hub are sent, or come, elsewhere
    longest_spread_ms: int = 4_000  # and the longest any of them waits for it
