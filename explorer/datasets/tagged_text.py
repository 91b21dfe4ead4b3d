"""Texts between tags, for files that look like XML and are not always: undeclared encodings, bare ampersands."""

import html
import re

_CDATA = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)


def tagged_text(text: str, tag: str) -> str | None:
    """What stands between the first ``<tag>`` and its end, in one line; None if there is no such pair.

    Character references such as ``&amp;`` are resolved, and no others: nothing a file says can be expanded further.
    """
    found = re.search(rf"<{re.escape(tag)}\s*>(.*?)</{re.escape(tag)}\s*>", text, re.DOTALL)
    return None if found is None else " ".join(html.unescape(_CDATA.sub(r"\1", found[1])).split())
