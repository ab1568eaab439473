"""Meters: what the ledger tells `/metrics`. A rise of `stopped_shelves` is an alarm: a shelf's history differs."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

ENTRIES = Counter("livesale_ledger_entries", "Log entries archived")
BATCH_SECONDS = Counter("livesale_ledger_batch_seconds", "Seconds spent in archive transactions")
STOPPED = Gauge("livesale_ledger_stopped_shelves", "Shelves the ledger refuses to follow: look into the audit")
TRIMMED = Counter("livesale_ledger_trimmed_entries", "Log entries taken out of the store after archiving")
