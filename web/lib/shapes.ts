/** Shapes of the HTTP answers and hub events (contract, sections 2 and 3). Types only. */

export interface Money { amount: number; currency: string }

/** RFC 3339 over HTTP, milliseconds since the epoch on the wire. */
export type Time = string | number;

export interface Deal { offer: string; price: Money; starts_at: Time; ends_at: Time; reference_price?: Money | null }

export interface Offer {
  id: string;
  product: string;
  title: string;
  image: string | null;
  price: Money;
  /** null: the shop does not count this product. */
  left: number | null;
  per_buyer_limit: number | null;
  quantity?: number | null;
  /** The lowest total price of the last 30 days (PAngV § 11); shown only when the server says it. */
  reference_price?: Money | null;
}

/** One's own place in the line of a sold-out offer. */
export interface InLine { offer: string; state: "waiting" | "offered" | "none"; quantity: number; place: number | null; waiting: number; until: Time | null }

/** A browser or program that acts for the account. */
export interface SignIn { id: string; kind: "session" | "token"; device: string; created_at: Time; expires_at: Time; current: boolean }

export interface PushPage { key: string; items: { id: string; device: string; created_at: Time; endpoint: string }[] }

export interface Token { id: string; name: string; scopes: string[]; created_at: Time; expires_at: Time }

export interface TokenMade extends Token { token: string }

export interface Passkey { id: string; name: string; created_at: Time; used_at: Time | null }

export interface Segment { title: string; offers: string[]; planned_s: number; started_at?: Time | null }

export type ShowState = "draft" | "scheduled" | "live" | "paused" | "ended" | "cancelled";

export interface ChatLine { id: string; name: string; text: string; at?: Time; mine?: boolean }

export interface Show {
  id: string;
  title: string;
  shop: string;
  state: ShowState;
  currency: string;
  starts_at: Time | null;
  started_at: Time | null;
  ended_at?: Time | null;
  offers: Offer[];
  pins: string[];
  pinned_at?: Time | null;
  deal: Deal | null;
  /** What becomes of units that come free: they go to the line, or to whoever pays first. */
  waitlist?: "line" | "first_paid";
  viewers: number;
  /** Whether a host's picture comes in right now. */
  picture?: boolean;
  hub: string[];
  hls: string | null;
  whip?: { url: string; token: string } | null;
  rundown?: Segment[] | { segments: Segment[]; current: number | null } | null;
  chat?: ChatLine[];
  /** For the show's host only: what the studio sees of the picture, orders by state, revenue. */
  live?: { host: string; fps: number; bitrate_kbps: number; picture_age_ms: number; key_interval_ms: number; warnings: string };
  orders?: Record<string, number>;
  revenue?: Money | null;
}

/** What a product costs in the shop now; `left` null: the shop does not count it; `offer` is what its orders take. */
export interface Today { shop: string; offer: string; price: Money; left: number | null }

/** An offer of a show that is over, as it last was; `today` is null when the shop has it no more. */
export interface Sold { id: string; product: string; title: string; image: string; price: Money; today: Today | null }

/** A product on air, or its flash deal, from `at_s` until `until_s`; `price` is what it cost then. */
export interface Chapter { kind: "pin" | "deal"; offer: string; title: string; image: string; price: Money; at_s: number; until_s: number; expired: boolean }

/** What viewers were told at `at_s`. */
export interface Told { type: string; at_s: number; pins?: string[] }

/** What the recording shows at `at_s`. */
export interface Thumbnail { at_s: number; url: string }

/** The recording of an ended show; every `_s` is a place in it. */
export interface Replay {
  show: string; title: string; shop: string; started_at: Time | null; duration_s: number; mp4: string; hls: string;
  captions: { lang: string; url: string }[]; chapters_vtt: string; poster: string | null; thumbnails: Thumbnail[]; chapters: Chapter[]; events: Told[]; offers: Sold[];
}

export type Band = "under7" | "7-13" | "14-15" | "16-17" | "adult";
export type AgeMethod = "unknown" | "declared" | "verified";

/** What an operator reads of somebody's age. */
export interface AgeKnown {
  account: string; country: string; region: string; age_band: Band; age_method: AgeMethod; age_issuer: string;
  checked_at: Time | null; seen: "identity_document" | "other_document" | "video_call" | "correction" | null;
}

/** What a credential has to say to prove an age. */
export interface AgeAsked { claim: string; audience: string; nonce: string }

export interface Me {
  id: string;
  name: string;
  email: string;
  roles: string[];
  age_band: string | null;
  age_method: AgeMethod;
  country: string;
  shops?: string[];
}

export interface Product { id: string; title: string; image: string | null; price: Money; quantity?: number | null; left?: number | null }

export interface OrderLine { offer: string; quantity: number; price?: Money; title?: string; image?: string | null }

/** What of an amount is taxed at one rate (percent, as "8.1"). */
export interface VatShare { rate: string; net: Money; amount: Money }

/** What a total is made of beside its lines. */
export interface Made { shipping?: Money; discount?: Money; coupon?: string | null; vat?: VatShare[] }

export interface Order extends Made {
  id: string;
  state: string;
  lines: OrderLine[];
  total: Money;
  reserved_until: Time | null;
  version: number;
  held_at?: Time;
  /** When it came into its present state. */
  updated_at?: Time;
  shop?: string;
  reason?: string;
  history?: { state: string; at: Time }[];
  ship_to?: ShipTo | null;
  next?: { redirect_url?: string } | null;
  /** Once it has been paid: what happened since, what is still to be sent, and until when it can be withdrawn. */
  refunded?: Money;
  refunds?: Refund[];
  shipments?: Shipment[];
  to_send?: Units[];
  withdrawals?: (Receipt & { state: string })[];
  /** null: for ever, as goods are still to come. */
  withdrawal_until?: Time | null;
}

export interface Units { offer: string; quantity: number }

export interface Refund { id: string; state: string; amount: Money; lines: Units[]; restock: boolean; cause: string; asked_at: Time; changed_at: Time }

export interface Shipment { id: string; lines: Units[]; carrier: string; tracking: string; at: Time }

/** What a withdrawal would come to, before it is confirmed. */
export interface Declared { id: string; lines: Units[]; amount: Money; declared_at: Time }

/** The acknowledgement of a withdrawal (§ 356a (4) BGB). */
export interface Receipt { withdrawal: string; order: string; seller: string; received_at: Time; lines: (Units & { title: string })[]; amount: Money; refund_by: Time }

export interface ShipTo { name: string; street: string; postal_code: string; city: string; country: string }

export interface Payment { method: "card"; token: string }

/** What is left to confirm with a guardian's bank. */
export interface PaymentStep { redirect_url: string | null; until: Time | null }

export interface Approval extends Made {
  id: string;
  order?: string;
  state: string;
  minor: string;
  minor_name: string;
  lines: OrderLine[];
  total: Money;
  payee: string;
  ship_to: ShipTo;
  digest: string;
  expires_at: Time;
  order_state?: string;
  held_until?: Time | null;
  may_extend?: boolean;
  agreed?: string[];
}

export interface Link {
  id: string; minor: string; guardian: string; verified: boolean; minor_name: string; guardian_name: string;
  counts_from: Time; ends_at: Time | null; mode: "any" | "all"; authority: "joint" | "sole" | "mutual"; frozen: boolean;
}

export interface Invitation { id: string; invites: "guardian" | "minor"; way: "mail" | "code"; inviter_name: string; expires_at: Time; state: string }

export interface Code { link: string; rows: string[]; expires_at: Time }

export interface Allowance {
  minor: string; guardian: string; monthly: Money; per_order: Money; categories: string[];
  quiet_hours: { from: string; until: string } | null; blocked: string[]; pays: boolean; month: string; spent: Money; left: Money;
}

/** What stands for one use of one's data; `may_grant`: who could agree now (empty: nobody). */
export interface Consent { purpose: string; granted: boolean; said_at: Time | null; how: string; may_grant: "owner" | "guardian" | ""; version: string; text: Record<"de" | "en", string> }

export interface Listed<T> { items: T[]; next?: string | null }

export interface Ticket { ticket: string; hub: string; expires_at: Time; now: Time }

export interface HubEvent { type: string; seq?: number; at?: Time; media_at?: number | null; [field: string]: unknown }

export interface OpsShow {
  id: string; title: string; state: string; viewers: number; host: string; fps: number; bitrate_kbps: number;
  media_delay_ms: number | null; picture_age_ms: number | null; warnings: string;
  orders: Record<string, number>; revenue: Money; stock_left: number;
}

export interface OpsProcess { name: string; pid: number; up: boolean; cpu_percent: number; rss_mib: number; restarts: number; uptime_s: number }

export interface Overview { shows: OpsShow[]; orders: Record<string, number>; viewers: number; approvals_pending: number; mails: Record<"sent" | "waiting" | "refused" | "given_up", number>; processes: OpsProcess[]; alarms: { shelf: string; reason: string }[] }
