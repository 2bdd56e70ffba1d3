"""Tags of static-site generators, which publications kept in Markdown carry along, as plain Markdown."""

import re

STRING = r'"([^"]*)"'

REPLACEMENTS = [
    (re.compile(r"\{%-?\s*comment\s*-?%\}.*?\{%-?\s*endcomment\s*-?%\}", re.DOTALL), ""),
    (re.compile(rf"\{{%\s*image_with_class\s+{STRING}\s+{STRING}\s+{STRING}[^%]*%\}}"), r"![\3](/\1)"),
    (re.compile(rf"\{{%\s*image\s+{STRING}\s+{STRING}[^%]*%\}}"), r"![\2](/\1)"),
    (re.compile(rf"\{{\{{\s*{STRING}\s*\|\s*url\s*\}}\}}"), r"\1"),
    (re.compile(rf"\{{\{{\s*{STRING}\s*\|\s*team_link\s*\}}\}}"), r"\1"),
    (re.compile(rf"\{{\{{\s*{STRING}\s*\|\s*embed:\s*[\"']([^\"']*)[\"']\s*\}}\}}"), r"[\2](\1)"),
]
#: Whatever else is there: flow control, variables, portraits.
REST = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)


def without_liquid(text: str) -> str:
    for pattern, replacement in REPLACEMENTS:
        text = pattern.sub(replacement, text)
    return REST.sub("", text)
