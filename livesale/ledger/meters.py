"""Meters: what the ledger counts of its own work."""

from __future__ import annotations

from prometheus_client import Counter

ENTRIES = Counter("livesale_ledger_entries", "Log entries archived")
BATCH_SECONDS = Counter("livesale_ledger_batch_seconds", "Seconds spent in archive transactions")
TRIMMED = Counter("livesale_ledger_trimmed_entries", "Log entries taken out of the store after archiving")
