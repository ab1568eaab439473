"""The page at /dev/mail: each mail with its headers, its plain text and its HTML in a frame that may do nothing."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from livesale.notices.box import Kept

SHOWN = ("To", "Subject", "Date", "Message-ID", "From", "References", "Content-Language")
STYLE = """
:root { color-scheme: light dark; --paper: #faf7f2; --ink: #1c1917; --line: #d6d0c7; --calm: #0f5e5a; }
@media (prefers-color-scheme: dark) { :root { --paper: #1a1816; --ink: #f3efe9; --line: #45403a; --calm: #6fc7c1; } }
body { background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; margin: 0 auto;
  max-width: 60rem; padding: 1.5rem; }
article { border-top: 1px solid var(--line); padding: 1rem 0 1.5rem; }
h2 { font-size: 1.125rem; margin: 0; } a { color: var(--calm); }
dl { display: grid; gap: 0 1rem; grid-template-columns: max-content 1fr; margin: .5rem 0; }
dd { margin: 0; overflow-wrap: anywhere; } pre { overflow-wrap: anywhere; white-space: pre-wrap; }
iframe { background: #fff; border: 1px solid var(--line); border-radius: 12px; height: 28rem; width: 100%; }
"""

# A mail is somebody else's page: no script, no form, no address but its own.
FRAME_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"


def page(mails: Sequence[Kept], to: str | None) -> str:
    """The whole page, `mails` newest first."""
    shown = "".join(_mail(mail) for mail in mails) or "<p>No mail has been written yet.</p>"
    only = f"<p>To {escape(to)} only. <a href='/dev/mail'>Show all</a></p>" if to else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Dev mails</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="stylesheet" href="/dev/mail.css"></head><body><main>'
        f"<h1>Dev mails</h1><p>None of these was sent.</p>{only}{shown}</main></body></html>"
    )


def _mail(mail: Kept) -> str:
    headers = "".join(f"<dt>{name}</dt><dd>{escape(str(mail.message[name]))}</dd>" for name in SHOWN)
    links = "".join(f'<li><a href="{escape(link)}">{escape(link)}</a></li>' for link in mail.links())
    return (
        f'<article id="{mail.name}"><h2>{escape(str(mail.message["Subject"]))}</h2><dl>{headers}</dl><ul>{links}</ul>'
        f'<iframe sandbox title="HTML" src="/dev/mail/{mail.name}"></iframe>'
        f"<details><summary>Plain text</summary><pre>{escape(mail.part('plain'))}</pre></details></article>"
    )
