"""Entry: the mail with a link to sign in with. Pure. It names no order, and says what to do when nobody asked for it."""

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
