"""Files of other formats than they are read as: what they are, and what to do."""

import re

from sgdreg.cli._messages import Unusable

PANDAS = 'as CSV, in Python: pandas.{how}.to_csv("data.csv", index=False)'
SHEET = "a spreadsheet; save it as CSV by the program that made it"
SAVE_NPZ = "save it with the target, in Python: numpy.savez('data.npz', X=X, y=y)"
# (first bytes, the kind of file and what to do, formats that may begin with these bytes).
BEGINNINGS = (
    (rb"PAR1", "a Parquet file (--format parquet)", ("parquet",)),
    (rb"PK\x03\x04.{22}..[^/]*\.npy", "an archive of arrays (--format npz)", ("npz",)),
    (rb"PK\x03\x04.{26}(?:\[Content_Types\]|_rels/|xl/|docProps/|mimetype)", SHEET, ()),
    (rb"PK\x03\x04", "a zip archive; unpack it, and give the file in it", ("npz",)),
    (rb"PK\x05\x06", "a zip archive without a file", ("npz",)),
    (rb"\x93NUMPY", f"a single array of NumPy; {SAVE_NPZ}", ("npz",)),
    (rb"\xff\xfe\x00\x00|\x00\x00\xfe\xff", "UTF-32 text (--encoding utf-32)", ()),
    (rb"\xff\xfe|\xfe\xff", "UTF-16 text (--encoding utf-16)", ()),
    (rb"\x89HDF", f"an HDF5 file; save it {PANDAS.format(how='read_hdf(...)')}", ()),
    (rb"\xd0\xcf\x11\xe0", SHEET, ()),
    (rb"ARROW1|FEA1", f"Feather; save it {PANDAS.format(how='read_feather(...)')}", ()),
    (rb"ORC", f"an ORC file; save it {PANDAS.format(how='read_orc(...)')}", ()),
    (rb"\x80[\x02-\x05]", "a pickle of Python; save what it holds as CSV", ()),
    (rb"SQLite format 3", "a data base of SQLite; export the table as CSV", ()),
    (rb"%PDF", "a PDF document; save its table as CSV", ()),
    (rb"\x1f\x8b|BZh[1-9]1AY|\x28\xb5\x2f\xfd", "packed twice; unpack it once", ()),
    (rb"\xfd7zXZ", "packed by xz; unpack it by xz -d", ()),
    (rb"7z\xbc\xaf|Rar!", "an archive; unpack it, and give the file in it", ()),
    (
        rb"version https://git-lfs",
        "a pointer of Git LFS, which stands for a file that is not here; git lfs pull "
        "fetches it",
        (),
    ),
    (
        rb"(?i)\s*<(?:!doctype|html|\?xml)",
        "a web page or XML, as downloads bring it where a login or another address is "
        "needed; download the data themselves",
        (),
    ),
    (
        rb'\s*(?:\{\s*["}]|\[\s*(?:[\[{"]|-?\d[^\[\]]*[,\]]))',
        f"JSON; save it {PANDAS.format(how='read_json(...)')}",
        (),
    ),
)
# Ends of file names of formats that are not read -> the function of pandas that reads it.
ENDINGS = {
    ".json": "read_json(...)",
    ".xlsx": "read_excel(...)",
    ".xls": "read_excel(...)",
    ".ods": "read_excel(...)",
    ".feather": "read_feather(...)",
    ".orc": "read_orc(...)",
    ".dta": "read_stata(...)",
    ".sas7bdat": "read_sas(...)",
    ".h5": "read_hdf(...)",
    ".hdf5": "read_hdf(...)",
}
ARFF = re.compile(rb"(?i)(?:\s|%.*\n)*@relation")


def refuse_others(title, head, format=None, encoding=None):
    """Raise Unusable where the first bytes of a file belong to another format.

    Parameters
    ----------
    format : str or None
        The format in which the file is to be read; None if it is not known.
    encoding : str or None
        With an encoding, text may begin with any bytes.
    """
    called = {"csv": "CSV", "tsv": "TSV", "parquet": "Parquet"}.get(format, format)
    verb = "is" if format is None else f"is not {called} but"
    if ARFF.match(head):
        raise Unusable(f"{title} {verb} {_arff(head)}.")
    for beginning, what, formats in BEGINNINGS:
        if encoding is not None and "--encoding" in what:
            continue
        if format not in formats and re.match(beginning, head, re.DOTALL):
            raise Unusable(f"{title} {verb} {what}.")


def advice_on_ending(suffix):
    """What to do with a file whose name ends with this; None if it is not known."""
    if suffix in ENDINGS:
        return f"save it {PANDAS.format(how=ENDINGS[suffix])}"
    if suffix == ".npy":
        return SAVE_NPZ
    if suffix == ".zip":
        return "unpack it, and give the file in it"
    return None


def _arff(head):
    """The advice on an ARFF file, whose rows are CSV below its line @data."""
    found = re.search(rb"(?im)^\s*@data.*\n", head)
    if found is None or head[found.end() :].lstrip().startswith(b"{"):
        return "an ARFF file; save its rows as CSV"
    lines = head[: found.end()].count(b"\n")
    return (
        f"an ARFF file, whose rows are CSV: --format csv --skip-lines {lines} --no-header "
        "reads them, as columns x0, x1, …, and --missing '?' its empty cells"
    )
