"""Wiring: the one place where rooms get what they need of each other. `async with Wiring(settings)` opens and closes it."""

from __future__ import annotations

from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from types import TracebackType

from livesale.accounts.ages import Ages
from livesale.accounts.challenges import Challenges
from livesale.accounts.checks import Checks
from livesale.accounts.consents import Consents
from livesale.accounts.countries import of_folder
from livesale.accounts.credentials import Issuers, read_issuers
from livesale.accounts.passkeys import Passkeys
from livesale.accounts.pushes import Pushes
from livesale.accounts.service import Accounts
from livesale.accounts.tokens import Tokens
from livesale.apps.people import People
from livesale.apps.presence import Presence
from livesale.catalog import store as catalog
from livesale.catalog.model import Product
from livesale.catalog.shops import owner_of
from livesale.guardians.allowances import Allowances
from livesale.guardians.model import Approval
from livesale.guardians.service import Guardians
from livesale.kernel.actor import Actor
from livesale.kernel.clock import DAY_MS, MINUTE_MS
from livesale.kernel.ids import shelf
from livesale.ledger.prices import lowest_price
from livesale.ledger.reads import list_approvals
from livesale.orders.archiving import Archiving
from livesale.orders.claims import Coupons
from livesale.orders.news import News
from livesale.orders.offers import Offers
from livesale.orders.service import Orders
from livesale.orders.sold import Sold
from livesale.orders.store import ShippingTables
from livesale.orders.transfers import Transfers
from livesale.orders.waiting import Waiting
from livesale.payments.sandbox import SandboxProvider
from livesale.payments.stripe import StripeProvider
from livesale.settings import Settings, SettingsError
from livesale.shows.service import Shows
from livesale.store.database import engine, reading
from livesale.store.valkey import Store, connect

MOST_OPEN = 200  # requests of one minor: five on a shelf, and nobody is in forty shows at once


class Wiring:
    """What one process of the system works with."""

    store: Store
    provider: SandboxProvider | StripeProvider

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = engine(settings.sql_url)
        self.countries = of_folder(settings.countries)
        self.tag_key = settings.key("tag.key")
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Wiring:
        self.store = await connect(self.settings.store_url)
        self._stack.push_async_callback(self.store.close)
        self._stack.push_async_callback(self.database.dispose)
        self.archiving = Archiving(self.store, self.database)
        self.store.past = self.archiving
        self.provider = provider_of(self.settings)
        self._stack.push_async_callback(self.provider.close)
        self.presence = Presence(self.store)
        self.accounts = Accounts(
            self.database,
            Tokens(self.settings.key("token.key")),
            self.settings.key("address.key"),
            self.settings.sessions.session_d * DAY_MS,
            self.store.now_ms,
            countries=self.countries,
            password_proves=not self.settings.sends_mails,
        )
        challenges = Challenges(self.settings.key("token.key"))
        self.passkeys = Passkeys(self.database, self.accounts, challenges, self.store.now_ms)
        address_key = self.settings.key("address.key")
        self.pushes = Pushes(self.database, self.accounts, address_key, self.store.now_ms, local=self.settings.demo)
        self.consents = Consents(self.database, self.accounts, self.store.now_ms)
        self.people = People(self.store, self.accounts)
        self.ages = Ages(
            self.database, self.accounts, challenges, issuers_of(self.settings.age_issuers), self.settings.public_url,
            self.store.now_ms, self.people.is_ward,
        )  # fmt: skip
        self.checks = Checks(self.database, self.accounts, self.store.now_ms)
        lowest = partial(lowest_price, self.database)
        self.shows = Shows(self.store, lowest, self.people.seal)
        self.guardians = Guardians(self.store, self.database, self.people.age_of, self._seller_of, self._open_of)
        self.people.guardians = self.guardians
        self.allowances = Allowances(self.guardians.families, self.people.age_of, self.people.country_of)
        self.shipping = ShippingTables(self.database, self.store.now_ms, self.countries)
        self.orders = Orders(self.store, self.people, News(self.store), self.shipping, self.product)
        self.coupons = Coupons(self.store)
        self.waiting = Waiting(self.store, self.settings.orders.waitlist_min * MINUTE_MS)
        self.sold = Sold(self.store, self.can_sell)
        self.transfers = Transfers(self.store)
        self.offers = Offers(self.store, self.product, self.transfers, lowest)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def product(self, product_id: str) -> Product | None:
        """A product by its id."""
        async with reading(self.database) as connection:
            return await catalog.product(connection, product_id)

    async def on_sale(self, product_id: str) -> bool:
        """Whether its shop's catalogue still has the product."""
        product = await self.product(product_id)
        return product is not None and product.removed_at is None

    async def in_stock(self, products: list[Product]) -> dict[str, int]:
        """Units each product's shop has left, by id."""
        ids: dict[str, list[str]] = {}
        for product in products:
            ids.setdefault(shelf("shop", product.shop), []).append(product.id)
        left: dict[str, int] = {}
        for on_shelf, of_shop in ids.items():
            found = await self.store.counters(on_shelf, *(f"free:{product}" for product in of_shop))
            left |= {product: found[f"free:{product}"] for product in of_shop}
        return left

    async def can_sell(self, actor: Actor, shop: str) -> bool:
        """Whether the caller may run shows of a shop."""
        async with reading(self.database) as connection:
            owner = await owner_of(connection, shop)
        return owner is not None and (owner == actor.account or actor.has("operator"))

    async def _open_of(self, minor: str) -> list[str]:
        """The minor's requests that have not ended, as the ledger lists them."""
        found = [await list_approvals(self.database, [minor], state, MOST_OPEN) for state in ("requested", "approved")]
        return [item["id"] for page in found for item in page["items"]]

    async def _seller_of(self, approval: Approval) -> str:
        async with reading(self.database) as connection:
            return await owner_of(connection, approval.payee) or ""


def provider_of(settings: Settings) -> SandboxProvider | StripeProvider:
    """Who moves the money."""
    if settings.payments.provider == "stripe":
        return StripeProvider(settings.payments.secret, settings.payments.url)
    return SandboxProvider(*sandbox_access(settings))


def issuers_of(file: str) -> Issuers:
    """Whose credentials prove an age; SettingsError when the file cannot be used."""
    if not file:
        return {}
    try:
        return read_issuers(Path(file).read_text("utf-8"))
    except (OSError, ValueError, KeyError) as error:
        raise SettingsError(f"age_issuers: {file}: {error}") from None


def sandbox_access(settings: Settings) -> tuple[str, str]:
    """Address and secret key of the payment sandbox."""
    key = settings.payments.secret or f"sk_test_{settings.key('sandbox.key').hex()}"
    return settings.payments.url or settings.paysim_url, key
