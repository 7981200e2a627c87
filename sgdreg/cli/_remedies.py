"""Advice on text cells in a column that seems to be numeric."""

import re

# Most different texts that the advice lists.
MOST_TOLD = 3
# Cells that mean numbers, and the advice on them.
NEARLY = (
    (r"^[-+]?[\d.,]+ ?%$", "write them without the percent sign to use the column"),
    (
        r"^[-+]?[$€£¥] ?[\d.,]+$|^[-+]?[\d.,]+ ?[$€£¥]$",
        "write them without the currency to use the column",
    ),
    (r"^\([\d.,]+\)$|^[\d.,]+-$", "write negative numbers with a sign before them"),
    (r"^[‐‑‒–—] ?[\d.,]+$", "write the minus sign as - to use the column"),
    (r"^'[-+\d.,]+'$", "write them without the quotation marks to use the column"),
)


def writing(column):
    """The advice where the format of the cells is not read; None for other text."""
    example = column.example[0].strip()
    if example == column.name:
        return "the header occurs again; delete that line"
    for form, advice in NEARLY:
        if re.match(form, example):
            return advice
    numerals = column.numerals
    if not numerals.written_in_digits(example):
        return None
    # Only options that read all cells of the column are proposed.
    options = numerals.options(list(column.categories or [example]))
    if options:
        return ", or ".join(f"add {words} if {meaning}" for words, meaning in options)
    return "write numbers as 1234.5 to use the column"


def emptying(column):
    """The advice to make the text cells empty."""
    texts = (column.example[0].strip(), *column.others)
    if column.text == 1 and column.example[1] == 1:
        way = "delete row 1 if it belongs to the header, or make it empty"
    else:
        way = "make them empty to use the column"
    if len(texts) > MOST_TOLD or not all(text.isprintable() for text in texts):
        return way
    return f"{way}, or add {' '.join(f'--missing {text!r}' for text in texts)}"
