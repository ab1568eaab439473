"""How an order reads once it has been paid: refunds, shipments, withdrawals and until when it can be withdrawn. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from livesale.kernel.clock import rfc3339
from livesale.kernel.money import Money
from livesale.orders.aftersale import PAID, Sale, Units
from livesale.orders.model import Order
from livesale.orders.withdrawal import counts
from livesale.orders.withdrawing import Receipt, receipt
from livesale.payments.refund import Refund


class UnitsView(msgspec.Struct):
    """Some units of one line."""

    offer: str
    quantity: int


class RefundView(msgspec.Struct):
    """Money on its way back or there; `lines` are given up with it, with `restock` they are on sale again."""

    id: str
    state: str
    amount: Money
    lines: list[UnitsView]
    restock: bool
    cause: str
    asked_at: str
    changed_at: str


class ShipmentView(msgspec.Struct):
    """What has left."""

    id: str
    lines: list[UnitsView]
    carrier: str
    tracking: str
    at: str


class WithdrawalView(Receipt):
    """A receipt, and how far the money is: `confirmed`, then `done`."""

    state: str


def after_view(order: Order, sale: Sale | None) -> dict[str, Any]:
    """What an order shows besides `routes.view` once it has been paid, by field."""
    if sale is None:
        return {}
    until = sale.withdrawal_until()
    return {
        "refunded": Money(sale.refunds.back().sum("done"), order.currency),
        "refunds": [_refund(one) for one in sale.refunds.items],
        "shipments": [
            ShipmentView(one.id, units_view(one.units), one.carrier, one.tracking, rfc3339(one.at))
            for one in sale.goods().shipments
        ],
        "to_send": units_view(sale.to_send()) if order.state in PAID else [],
        "withdrawals": [
            WithdrawalView(**msgspec.structs.asdict(receipt(order, one)), state=one.state)
            for one in order.withdrawals
            if counts(one)
        ],
        "withdrawal_until": rfc3339(until) if until else None,
    }


def units_view(units: Units) -> list[UnitsView]:
    """Units as people read them."""
    return [UnitsView(offer, quantity) for offer, quantity in units.items()]


def _refund(one: Refund) -> RefundView:
    return RefundView(
        one.id, one.state, Money(one.amount, one.currency), units_view(one.units), bool(one.returned), one.cause,
        rfc3339(one.asked_at), rfc3339(one.changed_at),
    )  # fmt: skip
