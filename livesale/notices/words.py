"""What mails say, in German and English. Subjects name no product, no person and no sum: they show on locked screens.

Law: mails about a request are neutral (UWG annex no. 28): nothing urges anyone to buy or to agree.
"""

from __future__ import annotations

from typing import Literal

Language = Literal["de", "en"]

# What a browser shows of a push, whatever it is about.
PUSHED: dict[Language, str] = {"de": "Eine Anfrage wartet auf deine Antwort.", "en": "A request is waiting for your answer."}

GERMAN = {"DE", "AT", "CH"}

SUBJECTS: dict[Language, dict[str, str]] = {
    "de": {
        "paid": "Bestellung {number} ist bezahlt",
        "payment_failed": "Bestellung {number} wurde nicht bezahlt",
        "cancelled": "Bestellung {number} wurde storniert",
        "late_payment": "Zahlung zu Bestellung {number} kam zu spät",
        "shipped": "Bestellung {number} ist unterwegs",
        "refunded": "Erstattung zu Bestellung {number}",
        "withdrawal": "Widerruf zu Bestellung {number} ist eingegangen",
        "request": "Eine Anfrage wartet auf deine Entscheidung",
        "confirm": "Deine Bank fragt nach einer Zahlung",
        "request_approved": "Anfrage {number} ist genehmigt",
        "request_declined": "Anfrage {number} ist abgelehnt",
        "request_expired": "Anfrage {number} ist abgelaufen",
        "request_void": "Anfrage {number} ist hinfällig",
        "request_superseded": "Anfrage {number} wurde geändert",
        "request_revoked": "Zustimmung zu Anfrage {number} ist zurückgenommen",
        "request_lapsed": "Anfrage {number} ist verfallen",
        "superseded": "Anfrage {number} wurde geändert",
        "revoked": "Zustimmung zu Anfrage {number} ist zurückgenommen",
        "lapsed": "Anfrage {number} ist verfallen",
        "waitlist_offered": "Du bist auf der Warteliste an der Reihe",
        "approved": "Anfrage {number} ist genehmigt",
        "declined": "Anfrage {number} ist abgelehnt",
        "expired": "Anfrage {number} ist abgelaufen",
        "ratify": "Bitte um eine Erklärung zu Bestellung {number}",
        "asked": "Bestellung {number} wartet auf eine Erklärung",
        "handed": "Bitte um deine Erklärung zu Bestellung {number}",
        "request_ratified": "Bestellung {number} ist genehmigt",
        "request_refused": "Bestellung {number} ist nicht genehmigt",
        "request_silent": "Bestellung {number} gilt als nicht genehmigt",
        "ratified": "Bestellung {number} ist genehmigt",
        "refused": "Bestellung {number} ist nicht genehmigt",
        "silent": "Bestellung {number} gilt als nicht genehmigt",
    },
    "en": {
        "paid": "Order {number} is paid",
        "payment_failed": "Order {number} was not paid",
        "cancelled": "Order {number} was cancelled",
        "late_payment": "Payment for order {number} came too late",
        "shipped": "Order {number} is on its way",
        "refunded": "Refund for order {number}",
        "withdrawal": "Withdrawal from order {number} received",
        "request": "A request is waiting for your decision",
        "confirm": "Your bank asks about a payment",
        "request_approved": "Request {number} is approved",
        "request_declined": "Request {number} is declined",
        "request_expired": "Request {number} has expired",
        "request_void": "Request {number} is void",
        "request_superseded": "Request {number} has changed",
        "request_revoked": "Consent to request {number} was taken back",
        "request_lapsed": "Request {number} has lapsed",
        "superseded": "Request {number} has changed",
        "revoked": "Consent to request {number} was taken back",
        "lapsed": "Request {number} has lapsed",
        "waitlist_offered": "It is your turn on the waiting list",
        "approved": "Request {number} is approved",
        "declined": "Request {number} is declined",
        "expired": "Request {number} has expired",
        "ratify": "Please tell us about order {number}",
        "asked": "Order {number} waits for an answer",
        "handed": "Please tell us about your order {number}",
        "request_ratified": "Order {number} was agreed to",
        "request_refused": "Order {number} was not agreed to",
        "request_silent": "Order {number} counts as not agreed to",
        "ratified": "Order {number} was agreed to",
        "refused": "Order {number} was not agreed to",
        "silent": "Order {number} counts as not agreed to",
    },
}

LEADS: dict[Language, dict[str, str]] = {
    "de": {
        "paid": "danke für die Bestellung. Sie ist angenommen und bezahlt. Diese Mail ist deine Vertragsbestätigung.",
        "paid_by_guardian": "die Bestellung von {buyer} ist angenommen und mit deinem Zahlungsmittel bezahlt. Diese Mail ist "
        "die Vertragsbestätigung.",
        "payment_failed": "die Zahlung hat nicht geklappt. Es wurde nichts abgebucht, und die Bestellung ist beendet.",
        "cancelled": "wir können diese Bestellung leider nicht erfüllen und haben sie storniert. Es wurde nichts abgebucht.",
        "late_payment": "die Zahlung über {amount} kam an, als die Bestellung schon beendet war. Die Ware ist nicht mehr zu "
        "haben, darum behalten wir das Geld nicht: Eine Vormerkung geben wir frei, und was abgebucht wurde, zahlen wir "
        "auf demselben Weg zurück. Du musst nichts tun.",
        "shipped": "diese Sendung ist unterwegs:",
        "refunded": "wir haben {amount} auf dem Weg zurückgezahlt, auf dem bezahlt wurde. Bis es auf dem Konto steht, "
        "können einige Tage vergehen.",
        "withdrawal": "wir haben den Widerruf am {at} erhalten. Das ist sein Inhalt:",
        "request": "{buyer} fragt, ob du diesem Kauf zustimmst. Bevor du zustimmst, wird nichts gekauft und nichts abgebucht.",
        "confirm": "für die Anfrage von {buyer} soll mit deiner Karte bezahlt werden, und deine Bank möchte, dass du das "
        "bestätigst. Auf der Seite der Anfrage kommst du dorthin. Ohne deine Bestätigung endet die Anfrage binnen 30 Minuten "
        "von selbst, und es wird nichts abgebucht.",
        "request_approved": "die Anfrage von {buyer} ist genehmigt. Bezahlt wird mit dem Zahlungsmittel dessen, der "
        "zugestimmt hat.",
        "request_declined": "die Anfrage von {buyer} ist abgelehnt. Es wurde nichts gekauft und nichts abgebucht.",
        "request_expired": "die Anfrage von {buyer} ist abgelaufen. Es wurde nichts gekauft und nichts abgebucht.",
        "request_void": "die Anfrage von {buyer} ist hinfällig: Sie kann nicht mehr erfüllt werden. Es wurde nichts abgebucht.",
        "request_superseded": "die Anfrage von {buyer} wurde geändert. Die frühere gilt nicht mehr; über die neue kannst du "
        "gesondert entscheiden. Es wurde nichts gekauft und nichts abgebucht.",
        "request_revoked": "die Zustimmung zur Anfrage von {buyer} ist zurückgenommen. Es wurde nichts gekauft und nichts "
        "abgebucht.",
        "request_lapsed": "die Anfrage von {buyer} war genehmigt, wurde aber nicht rechtzeitig bezahlt und ist verfallen. Es "
        "wurde nichts abgebucht.",
        "superseded": "deine Anfrage wurde geändert. Die frühere gilt nicht mehr. Es wurde nichts gekauft und nichts abgebucht.",
        "revoked": "die Zustimmung zu deiner Anfrage ist zurückgenommen. Es wurde nichts gekauft und nichts abgebucht.",
        "lapsed": "deine Anfrage war genehmigt, wurde aber nicht rechtzeitig bezahlt und ist verfallen. Es wurde nichts "
        "abgebucht.",
        "waitlist_offered": "du stehst auf der Warteliste und bist jetzt an der Reihe. Für dich zurückgelegt:",
        "approved": "deine Anfrage ist genehmigt.",
        "declined": "deine Anfrage ist abgelehnt. Es wurde nichts gekauft und nichts abgebucht.",
        "expired": "deine Anfrage ist abgelaufen. Es wurde nichts gekauft und nichts abgebucht.",
        "ratify": "{buyer} hat das hier gekauft und bezahlt. Der Kauf gilt nur, wenn du ihm zustimmst (§ 108 BGB). Bis du "
        "antwortest, wird nichts versandt. Sagst du nein, geht alles zurück, was bezahlt wurde.",
        "asked": "wir haben deine Eltern gefragt, ob sie diesem Kauf zustimmen. Bis sie antworten, wird nichts versandt. Stimmen "
        "sie nicht zu, bekommst du alles zurück, was bezahlt wurde.",
        "handed": "ob dieser Kauf gilt, entscheidest jetzt du selbst (§ 108 Abs. 3 BGB). Bis du antwortest, wird nichts versandt. "
        "Sagst du nein, geht alles zurück, was bezahlt wurde.",
        "request_ratified": "dem Kauf von {buyer} ist zugestimmt. Die Bestellung geht weiter.",
        "request_refused": "dem Kauf von {buyer} ist nicht zugestimmt. Er gilt nicht, und alles, was bezahlt wurde, geht zurück. "
        "Was schon angekommen ist, ist zurückzuschicken.",
        "request_silent": "zum Kauf von {buyer} kam in der gesetzten Frist keine Antwort. Damit gilt er nicht (§ 108 Abs. 2 BGB), "
        "und alles, was bezahlt wurde, geht zurück. Was schon angekommen ist, ist zurückzuschicken.",
        "ratified": "dem Kauf ist zugestimmt. Die Bestellung geht weiter.",
        "refused": "dem Kauf ist nicht zugestimmt. Er gilt nicht, und alles, was bezahlt wurde, geht zurück. Was schon "
        "angekommen ist, ist zurückzuschicken.",
        "silent": "es kam keine Antwort. Damit gilt der Kauf nicht, und alles, was bezahlt wurde, geht zurück. Was schon "
        "angekommen ist, ist zurückzuschicken.",
    },
    "en": {
        "paid": "thank you for the order. It is accepted and paid. This mail confirms the contract.",
        "paid_by_guardian": "the order by {buyer} is accepted and paid with your payment method. This mail confirms the "
        "contract.",
        "payment_failed": "the payment did not go through. Nothing was charged, and the order has ended.",
        "cancelled": "we are sorry: we cannot fulfil this order and have cancelled it. Nothing was charged.",
        "late_payment": "the payment of {amount} arrived when the order had already ended. The item is no longer available, "
        "so we do not keep the money: we release what was set aside and pay back what was taken, the way it was paid. "
        "There is nothing you need to do.",
        "shipped": "this shipment is on its way:",
        "refunded": "we have paid back {amount} the way it was paid. It may take some days to arrive.",
        "withdrawal": "we received the withdrawal on {at}. This is what it says:",
        "request": "{buyer} asks whether you agree to this purchase. Before you agree, nothing is bought or charged.",
        "confirm": "the request by {buyer} is to be paid with your card, and your bank wants you to confirm it. The request's "
        "page leads there. Without it the request ends by itself within 30 minutes, and nothing is charged.",
        "request_approved": "the request by {buyer} is approved. It is paid with the payment method of whoever agreed.",
        "request_declined": "the request by {buyer} is declined. Nothing was bought or charged.",
        "request_expired": "the request by {buyer} has expired. Nothing was bought or charged.",
        "request_void": "the request by {buyer} is void: it can no longer be fulfilled. Nothing was charged.",
        "request_superseded": "the request by {buyer} has changed. The earlier one no longer counts; you can decide about the "
        "new one separately. Nothing was bought or charged.",
        "request_revoked": "the consent to the request by {buyer} was taken back. Nothing was bought or charged.",
        "request_lapsed": "the request by {buyer} was approved but not paid in time, and has lapsed. Nothing was charged.",
        "superseded": "your request has changed. The earlier one no longer counts. Nothing was bought or charged.",
        "revoked": "the consent to your request was taken back. Nothing was bought or charged.",
        "lapsed": "your request was approved but not paid in time, and has lapsed. Nothing was charged.",
        "waitlist_offered": "you are on the waiting list and it is your turn now. Set aside for you:",
        "approved": "your request is approved.",
        "declined": "your request is declined. Nothing was bought or charged.",
        "expired": "your request has expired. Nothing was bought or charged.",
        "ratify": "{buyer} bought and paid for this. The purchase counts only if you agree to it (§ 108 BGB). Until you answer, "
        "nothing is sent. If you say no, all that was paid goes back.",
        "asked": "we have asked your parents whether they agree to this purchase. Until they answer, nothing is sent. If they do "
        "not agree, you get back all that was paid.",
        "handed": "whether this purchase counts is now yours to decide (§ 108 (3) BGB). Until you answer, nothing is sent. If you "
        "say no, all that was paid goes back.",
        "request_ratified": "the purchase by {buyer} was agreed to. The order goes on.",
        "request_refused": "the purchase by {buyer} was not agreed to. It does not count, and all that was paid goes back. "
        "What has already arrived is to be sent back.",
        "request_silent": "there was no answer about the purchase by {buyer} in time. So it does not count (§ 108 (2) BGB), and "
        "all that was paid goes back. What has already arrived is to be sent back.",
        "ratified": "the purchase was agreed to. The order goes on.",
        "refused": "the purchase was not agreed to. It does not count, and all that was paid goes back. What has already arrived "
        "is to be sent back.",
        "silent": "there was no answer. So the purchase does not count, and all that was paid goes back. What has already arrived "
        "is to be sent back.",
    },
}

LABELS: dict[Language, dict[str, str]] = {
    "de": {
        "hello": "Hallo {name},",
        "hello_nobody": "Hallo,",
        "each": "{sum} ({price} je Stück)",
        "shipping": "Versand",
        "discount": "Gutschein {code}",
        "total": "Gesamt, einschließlich Mehrwertsteuer",
        "total_untaxed": "Gesamt, ohne Mehrwertsteuer",
        "vat": "darin {rate} % MwSt.",
        "order": "Bestellnummer",
        "at": "Bezahlt am",
        "seller": "Verkäufer",
        "ship_to": "Lieferung an",
        "declared_by": "Erklärt von",
        "declared": "Erklärung",
        "withdraws": "Widerruf des Vertrags über diese Waren",
        "until": "Frist",
        "see_order": "Zur Bestellung",
        "see_request": "Zur Anfrage",
        "see_show": "Zur Sendung",
        "turn": "Das gilt bis {until}, danach ist an der Reihe, wer als Nächstes wartet. Bestellt ist damit noch nichts.",
        "withdraw": "Vertrag widerrufen",
        "unanswered": "Der Link allein entscheidet nichts. Keine Antwort bis {until} zählt wie ein Nein.",
        "undecided": "Der Link allein entscheidet nichts. Ohne Entscheidung bis {until} verfällt die Anfrage.",
        "footer": "Diese Mail gehört zu deinem Konto bei {origin}. Sie ist keine Werbung.",
        "right": "Widerrufsrecht",
        "right_text": "Du kannst diesen Vertrag binnen 14 Tagen ohne Angabe von Gründen widerrufen. Die Frist beginnt an dem "
        "Tag, an dem du oder jemand von dir Benanntes, der nicht der Beförderer ist, die letzte Ware erhalten hat. Zur "
        "Wahrung der Frist genügt es, die eindeutige Erklärung vor ihrem Ablauf abzusenden, am einfachsten mit „Vertrag "
        "widerrufen“ auf der Seite der Bestellung. Dann zahlen wir alles, auch die Kosten der Standardlieferung, "
        "spätestens 14 Tage nach Eingang des Widerrufs auf demselben Weg zurück; wir dürfen warten, bis die Ware zurück "
        "oder ihre Absendung nachgewiesen ist. Die Ware ist binnen 14 Tagen nach dem Widerruf zurückzuschicken; die "
        "unmittelbaren Kosten dafür trägst du.",
    },
    "en": {
        "hello": "Hello {name},",
        "hello_nobody": "Hello,",
        "each": "{sum} ({price} each)",
        "shipping": "Shipping",
        "discount": "Coupon {code}",
        "total": "Total, including VAT",
        "total_untaxed": "Total, no VAT included",
        "vat": "of which {rate} % VAT",
        "order": "Order number",
        "at": "Paid on",
        "seller": "Seller",
        "ship_to": "Delivery to",
        "declared_by": "Declared by",
        "declared": "Declaration",
        "withdraws": "Withdrawal from the contract for these goods",
        "until": "Until",
        "see_order": "See the order",
        "see_request": "See the request",
        "see_show": "To the show",
        "turn": "This holds until {until}; after that it is the turn of whoever waits next. Nothing is ordered yet.",
        "withdraw": "Withdraw from the contract",
        "unanswered": "The link alone decides nothing. No answer by {until} counts as a no.",
        "undecided": "The link alone decides nothing. Without a decision by {until} the request expires.",
        "footer": "This mail belongs to your account at {origin}. It is not advertising.",
        "right": "Right of withdrawal",
        "right_text": "You may withdraw from this contract within 14 days without giving any reason. The period begins on the "
        "day on which you, or someone you named who is not the carrier, received the last of the goods. It is enough to "
        "send a clear declaration before the period ends, most easily with “Withdraw from the contract” on the order's "
        "page. We then pay back everything, the cost of standard delivery included, the same way within 14 days of "
        "receiving the withdrawal; we may wait until the goods are back or proof of sending is there. Goods are to be sent "
        "back within 14 days of the withdrawal; you bear the direct cost of that.",
    },
}


def language_of(country: str) -> Language:
    """The language of mails to someone in `country` (ISO 3166-1)."""
    return "de" if country in GERMAN else "en"
