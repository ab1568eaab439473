"""The payment sandbox: a provider of its own, with its own file and its own double-entry ledger. Never real
money.
"""
