"""The operators' fixtures are the ledger's."""

from tests.ledger.conftest import running

__all__ = ["running"]
