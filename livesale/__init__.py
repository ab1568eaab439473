"""livesale: live shopping streams people run themselves.

The rooms, lower first (tests/laws/test_imports.py holds who may import whom):
kernel · store · accounts, catalog, payments, media, hub · shows, guardians · orders · ledger, ops · http · apps.
ARCHITECTURE.md tells the one way data goes.
"""

__version__ = "0.1.0"
