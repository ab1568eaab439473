"""The operators' fixtures are the ledger's."""

from tests.ledger.conftest import engine, running

__all__ = ["engine", "running"]
