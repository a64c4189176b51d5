"""Title: Words that act where they are shown
How: Codes of terminals, HTML, formulas of spreadsheets, commands of CI services, bytes that are no text, in messages, class names, outputs and values.
After: the terminal, the browser, the spreadsheet or the CI run of whoever reads the report
Stopped by: each place where words are shown escapes them for what it is
"""

import sys

OUTCOME = {"echo": "raised", "twice": "failed"}

WORDS = (
    "\x1b[2J\x1b]0;owned\x07\r\u202e<script>alert(1)</script><img src=x onerror=alert(1)>\n"
    '=HYPERLINK("http://example.org")\n@SUM(1)\n::set-output name=score::3\n::add-mask::3\n]]>&lt;\ud800\x00'
)


def echo(x):
    print(WORDS)
    sys.stderr.write(WORDS)
    raise type(WORDS[:40].replace("\x00", ""), (Exception,), {})(WORDS)


def twice(x):
    return WORDS
