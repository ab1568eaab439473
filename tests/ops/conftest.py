"""The operators see what a ledger that runs beside the test has archived."""

from tests.ledger.conftest import running

__all__ = ["running"]
