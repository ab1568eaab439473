"""Family: mails about links and a stop, and the invitation. Pure. None of them names an order or an age."""

from __future__ import annotations

from html import escape

from livesale.kernel.events import Event
from livesale.notices.letters import PAGE, Letter, one_line, when
from livesale.notices.words import Language, language_of

INVITATION: dict[Language, dict[str, str]] = {
    "de": {
        "subject": "Einladung in eine Familie",
        "guardian": "{name} lädt dich ein, bei livesale über Käufe mitzuentscheiden, als Elternteil oder Vormund.",
        "minor": "{name} möchte bei livesale über deine Käufe mitentscheiden, als Elternteil oder Vormund.",
        "how": "Der Link gilt sieben Tage, nur für das Konto mit dieser Mailadresse und nur einmal. Er allein ändert nichts: "
        "Du meldest dich an und nimmst auf der Seite an.",
        "label": "Einladung ansehen",
        "footer": "Du kennst diese Person nicht? Dann musst du nichts tun.",
    },
    "en": {
        "subject": "Invitation to a family",
        "guardian": "{name} invites you to decide about purchases on livesale, as a parent or guardian.",
        "minor": "{name} would like to decide about your purchases on livesale, as a parent or guardian.",
        "how": "The link is good for seven days, only for the account with this address, and only once. By itself it changes "
        "nothing: you sign in and accept on the page.",
        "label": "See the invitation",
        "footer": "You do not know this person? Then there is nothing to do.",
    },
}
QUESTION: dict[Language, dict[str, str]] = {
    "de": {
        "subject": "Bitte um eine Erklärung als Elternteil oder Vormund",
        "what": "über das Konto von {name} wurde bei livesale etwas gekauft und bezahlt. {name} ist nach dem, was wir erfahren "
        "haben, minderjährig. Der Kauf gilt nur, wenn du ihm als Elternteil oder Vormund zustimmst (§ 108 BGB).",
        "until": "Bitte erkläre uns bis zum {until}, ob du zustimmst. Sagst du nein oder bis dahin nichts, gilt der Kauf nicht, "
        "und alles, was bezahlt wurde, geht zurück. Bis dahin wird nichts versandt.",
        "how": "Der Link gilt nur für das Konto mit dieser Mailadresse und nur einmal. Er allein ändert nichts: Du meldest dich an "
        "und nimmst auf der Seite an; danach siehst du dort, was gekauft wurde. Zustimmen kann eine neue Verbindung nach 24 "
        "Stunden, ablehnen sofort.",
        "label": "Ansehen und antworten",
        "footer": "Du kennst diese Person nicht? Dann musst du nichts tun.",
    },
    "en": {
        "subject": "Please tell us as a parent or guardian",
        "what": "something was bought and paid on livesale with the account of {name}. As far as we have learned, {name} is "
        "under age. The purchase counts only if you agree to it as a parent or guardian (§ 108 BGB).",
        "until": "Please tell us by {until} whether you agree. If you say no, or nothing by then, the purchase does not count and "
        "all that was paid goes back. Until then nothing is sent.",
        "how": "The link is good only for the account with this address, and only once. By itself it changes nothing: you sign in "
        "and accept on the page, and then see there what was bought. A new link can agree after 24 hours, and say no at once.",
        "label": "Look and answer",
        "footer": "You do not know this person? Then there is nothing to do.",
    },
}
# kind → subject, text
TOLD: dict[Language, dict[str, tuple[str, str]]] = {
    "de": {
        "link_active": ("Familie: neue Verbindung", "{guardian} entscheidet jetzt mit über die Käufe von {minor}. Warst du das "
        "nicht, dann entferne die Verbindung auf der Seite. Zustimmen kann eine neue Verbindung erst nach 24 Stunden."),
        "link_ending": ("Familie: Verbindung wird entfernt", "Die Verbindung zwischen {minor} und {guardian} endet am {until}. "
        "Bis dahin kann sie auf der Seite behalten werden."),
        "link_kept": ("Familie: Verbindung bleibt", "Die Verbindung zwischen {minor} und {guardian} bleibt bestehen."),
        "link_ended": ("Familie: Verbindung beendet", "Die Verbindung zwischen {minor} und {guardian} ist beendet."),
        "frozen": ("Familie: Käufe angehalten", "Die Käufe von {minor} sind angehalten. Offene Anfragen sind beendet, und es "
        "wird nichts abgebucht, was noch nicht abgebucht war."),
        "thawed": ("Familie: Käufe gehen weiter", "{minor} kann wieder anfragen."),
    },
    "en": {
        "link_active": ("Family: a new link", "{guardian} now decides about the purchases of {minor}. If that was not you, "
        "remove the link on the page. A new link can agree after 24 hours only."),
        "link_ending": ("Family: a link is being removed", "The link between {minor} and {guardian} ends on {until}. Until then "
        "it can be kept, on the page."),
        "link_kept": ("Family: a link stays", "The link between {minor} and {guardian} stays as it is."),
        "link_ended": ("Family: a link has ended", "The link between {minor} and {guardian} has ended."),
        "frozen": ("Family: buying is stopped", "Buying by {minor} is stopped. Open requests have ended, and nothing is charged "
        "that had not been charged."),
        "thawed": ("Family: buying goes on", "{minor} can send requests again."),
    },
}  # fmt: skip
HELLO: dict[Language, str] = {"de": "Hallo,", "en": "Hello,"}
LABEL: dict[Language, str] = {"de": "Zur Familie", "en": "To the family"}


def invitation_letter(name: str, country: str, invites: str, link: str) -> Letter:
    """The invitation, in the language of the inviter's country: nothing is known of its reader."""
    language = language_of(country)
    words = INVITATION[language]
    lead = words[invites].format(name=one_line(name))
    return _letter(language, words["subject"], [lead, words["how"]], (words["label"], link), words["footer"])


def question_letter(name: str, country: str, until_ms: int, link: str) -> Letter:
    """To whom an operator names as guardian of a buyer: what was bought is on the page, for the account that it is for."""
    language = language_of(country)
    words = QUESTION[language]
    said = [words["what"].format(name=one_line(name)), words["until"].format(until=when(until_ms, country, language))]
    return _letter(language, words["subject"], [*said, words["how"]], (words["label"], link), words["footer"])


def family_letter(kind: str, event: Event, minor: str, guardian: str, country: str, origin: str) -> Letter:
    """What has changed in a family, to one of it; `minor` and `guardian` are names."""
    language = language_of(country)
    subject, text = TOLD[language][kind]
    until = when(event.get("until") or event["at"], country, language)
    said = text.format(minor=one_line(minor), guardian=one_line(guardian), until=until)
    return _letter(language, subject, [said], (LABEL[language], f"{origin}/guardian"), "")


def _letter(language: Language, subject: str, said: list[str], link: tuple[str, str], footer: str) -> Letter:
    label, url = link
    parts = [HELLO[language], *said, f"{label}:\n{url}", *([footer] if footer else [])]
    body = "".join(f"<p>{escape(one)}</p>" for one in (HELLO[language], *said))
    body += f'<p><a href="{escape(url)}">{escape(label)}</a></p>' + (f"<p>{escape(footer)}</p>" if footer else "")
    return Letter(subject, "\n\n".join(parts) + "\n", PAGE.format(language=language, title=escape(subject), body=body), language)
