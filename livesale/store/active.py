"""Active: the set of shelves that readers and deadlines look at, and how a shelf leaves it and comes back.

Law: a shelf that is not asleep is in the set. A commit that changes something is not carried out on a sleeping shelf, so
no mark and no entry is ever unseen, whoever dies when. The set and the shelf are in different slots of a cluster, hence
two tokens instead of one act (COMMIT.md has the proof):

  leaving      read the set's token for the shelf → put it to sleep under a fresh token, if its seq is the one up to
               which all is handled and it has no mark → leave the set, if its token there is still the one read
  coming back  a commit is told the token the shelf sleeps under → enter the set, with a fresh token there → wake the
               shelf, if it still sleeps under the token told → the commit again

A shelf that is stopped sleeps under a token of its own, which nobody wakes: what it sold may be forgotten, so it must not
sell it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from livesale.kernel.ids import random_name
from livesale.kernel.refusals import Refusal

if TYPE_CHECKING:
    from livesale.store.valkey import Store

ACTIVE = "{livesale}:active"  # set of shelves that may have marks or unread entries
LOOKED_AT = ("due", "mail")  # the indexes whose marks somebody looks for on every active shelf
TOKENS = "{livesale}:active:tokens"  # hash: shelf -> token of whoever entered it last
STOPPED = b"stopped"


class Stopped(Refusal):
    """Nothing on this shelf may change until its history is the archived one again."""

    def __init__(self) -> None:
        super().__init__(
            "store_unavailable", "Nothing can be bought or changed here: its records are being checked.",
            retry_after_s=60,
        )  # fmt: skip


async def enter(store: Store, shelf: str) -> None:
    """Make `shelf` known to readers and deadlines: before its first commit, and before it is woken."""
    await store.ask("FCALL", "livesale_enter", 2, ACTIVE, TOKENS, shelf, random_name())


async def wake(store: Store, shelf: str, asleep: bytes) -> None:
    """Let commits change `shelf` again, which sleeps under the token `asleep`."""
    await enter(store, shelf)
    await store.ask("FCALL", "livesale_wake", 1, f"{{{shelf}}}:asleep", asleep)


async def entered(store: Store, shelf: str) -> bytes:
    """The token of whoever entered `shelf` last; read it before looking whether the shelf may sleep."""
    return await store.ask("HGET", TOKENS, shelf) or b""


async def sleep(store: Store, shelf: str, handled: int) -> bool:
    """Put `shelf` to sleep, if `handled` is its last position and it has no mark."""
    keys = (f"{{{shelf}}}:seq", f"{{{shelf}}}:asleep", *(f"{{{shelf}}}:m:{index}" for index in LOOKED_AT))
    return bool(await store.ask("FCALL", "livesale_sleep", len(keys), *keys, str(handled), random_name()))


async def leave(store: Store, shelf: str, token: bytes) -> None:
    """Take `shelf`, which sleeps, out of the set, unless it was entered since `token` was read."""
    await store.ask("FCALL", "livesale_leave", 2, ACTIVE, TOKENS, shelf, token)


async def stop(store: Store, shelf: str) -> None:
    """Let no commit change `shelf` any more. It lies in the store's own file: the right one put back has no such word."""
    await store.ask("SET", f"{{{shelf}}}:asleep", STOPPED)


async def is_stopped(store: Store, shelf: str) -> bool:
    """Whether `shelf` is stopped."""
    return bool(await store.ask("GET", f"{{{shelf}}}:asleep") == STOPPED)
