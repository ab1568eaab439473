"""Entry: the mails with a link to sign in with, with a code to show that it is you, and that an account is gone. Pure."""

from __future__ import annotations

from html import escape

from livesale.notices.letters import PAGE, Letter, one_line
from livesale.notices.words import Language, language_of

WORDS: dict[Language, dict[str, str]] = {
    "de": {
        "subject": "Dein Link zum Anmelden",
        "hello": "Hallo {name},",
        "lead": "mit diesem Link meldest du dich an. Er gilt 15 Minuten und nur ein einziges Mal:",
        "label": "Anmelden",
        "footer": "Du hast das nicht angefordert? Dann musst du nichts tun: Ohne diesen Link kommt niemand hinein.",
    },
    "en": {
        "subject": "Your link to sign in",
        "hello": "Hello {name},",
        "lead": "this link signs you in. It is good for 15 minutes, and only once:",
        "label": "Sign in",
        "footer": "You did not ask for it? Then there is nothing to do: nobody gets in without this link.",
    },
}


CODE: dict[Language, dict[str, str]] = {
    "de": {
        "subject": "Dein Code",
        "lead": "mit diesem Code zeigst du, dass du es bist. Er gilt 10 Minuten, einmal, und nur dort, wo du ihn wolltest:",
        "footer": "Du hast das nicht angefordert? Dann kennt jemand dein Passwort: Gib den Code niemandem.",
    },
    "en": {
        "subject": "Your code",
        "lead": "this code shows that it is you. It is good for 10 minutes, once, and only where you asked for it:",
        "footer": "You did not ask for it? Then somebody knows your password: give the code to nobody.",
    },
}


def code_letter(name: str, country: str, code: str) -> Letter:
    """The mail with a code. Its subject does not tell it: a locked phone shows subjects."""
    language = language_of(country)
    words = CODE[language]
    hello = WORDS[language]["hello"].format(name=one_line(name))
    text = "\n\n".join((hello, words["lead"], code, words["footer"])) + "\n"
    body = (
        f"<p>{escape(hello)}</p><p>{escape(words['lead'])}</p><p><strong>{escape(code)}</strong></p>"
        f"<p>{escape(words['footer'])}</p>"
    )
    return Letter(words["subject"], text, PAGE.format(language=language, title=escape(words["subject"]), body=body), language)


ERASED: dict[Language, dict[str, str]] = {
    "de": {
        "subject": "Dein Konto ist gelöscht",
        "lead": "dein Konto ist gelöscht: Name, Adressen und alles, was mit deinem Schlüssel versiegelt war, sind unlesbar.",
        "footer": "Bestellungen und Zahlungen bewahren wir ohne deinen Namen auf, solange das Gesetz es verlangt "
        "(§ 257 HGB, § 147 AO). Dies ist die letzte Mail an dich.",
    },
    "en": {
        "subject": "Your account has been erased",
        "lead": "your account has been erased: your name, addresses and all that was sealed with your key cannot be read any more.",
        "footer": "We keep orders and payments without your name for as long as the law demands (§ 257 HGB, § 147 AO). "
        "This is the last mail to you.",
    },
}


def erased_letter(name: str, country: str) -> Letter:
    """The receipt of an erasure."""
    language = language_of(country)
    words = ERASED[language]
    hello = WORDS[language]["hello"].format(name=one_line(name))
    text = "\n\n".join((hello, words["lead"], words["footer"])) + "\n"
    body = "".join(f"<p>{escape(part)}</p>" for part in (hello, words["lead"], words["footer"]))
    return Letter(words["subject"], text, PAGE.format(language=language, title=escape(words["subject"]), body=body), language)


def entry_letter(name: str, country: str, link: str) -> Letter:
    """The mail, in the language of its reader's country."""
    language = language_of(country)
    words = WORDS[language]
    hello = words["hello"].format(name=one_line(name))
    text = "\n\n".join((hello, words["lead"], link, words["footer"])) + "\n"
    body = (
        f"<p>{escape(hello)}</p><p>{escape(words['lead'])}</p>"
        f'<p><a href="{escape(link)}">{escape(words["label"])}</a></p><p>{escape(words["footer"])}</p>'
    )
    html = PAGE.format(language=language, title=escape(words["subject"]), body=body)
    return Letter(words["subject"], text, html, language)
