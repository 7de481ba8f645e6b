"""What every page of riskgraph shares: one file, one style, its own font, and a policy that forbids any connection."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from importlib import resources

from riskgraph._font import subset_font

__all__ = ["document", "safe_text"]

#: characters that turn or hide text, and so could make a name look like another
_TURNING = {code: f"[U+{code:04X}]" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}


def safe_text(value: object) -> str:
    r"""Text for HTML: escaped, and characters that would turn the reading direction are spelled out.

    Examples
    --------
    >>> safe_text("<b>"), safe_text("甲\u202e乙")
    ('&lt;b&gt;', '甲[U+202E]乙')
    """
    return escape(str(value).translate(_TURNING), quote=True)


def document(
    body: str, *, title: str, lang: str, style: str = "", scripts: str = "", script: str = "", font: bool = True
) -> str:
    """Whole page around a body, with the font of its characters inside.

    Parameters
    ----------
    body
        HTML of the body, already escaped.
    title
        Text of the title, escaped here.
    style
        Style rules after the shared ones.
    scripts
        HTML of script elements that hold data.
    script
        The one program of the page; its hash is the only one the policy lets run.
    font
        Whether to put the font inside; else the reader's own is used.
    """
    shared = resources.files("riskgraph").joinpath("_page.css").read_text("utf-8")
    letters = subset_font(body + title + scripts + script) if font else ""
    face = (
        f"@font-face{{font-family:carried;src:url(data:font/woff;base64,{letters}) format('woff')}}\n"
        if letters
        else ""
    )
    style = face + shared + style
    policy = f"default-src 'none'; style-src {_hash(style)}; font-src data:; base-uri 'none'; form-action 'none'"
    if script:
        policy += f"; script-src {_hash(script)}"
        scripts += f"<script>{script}</script>\n"
    return (
        f'<!doctype html>\n<html lang="{"zh-CN" if lang == "zh" else "en"}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy, quote=True)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{safe_text(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n{body}\n{scripts}</body>\n</html>\n"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
