"""The documentation: ``sphinx-build -W --keep-going -n -b html docs docs/_build/html``.

What is built stands by itself: no page loads anything from the network. Formulas are
MathML, which browsers draw without a script.
"""

import importlib.util
import os
import re
from pathlib import Path

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util.logging import getLogger

from sgdreg import __version__

HERE = Path(__file__).parent

project = "sgdreg"
author = "The sgdreg developers"
copyright = "The sgdreg developers, BSD 3-clause licence"
version = release = __version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_gallery.gen_gallery",
]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
templates_path = ["_templates"]
# The explorable is a page of its own: see `copy_explorable`.
exclude_patterns = ["_build", "_templates", "explorable"]
# What README.md and the pages on a code host show as a block is one here, too.
highlight_language = "none"
default_role = "literal"
add_module_names = False
toc_object_entries_show_parents = "hide"
# Types in docstrings are words ("float > 0"); names of others have no page here.
nitpick_ignore_regex = [("py:.*", r"(sklearn|numpy|scipy|matplotlib)\..*")]

# --------------------------------------------------------------------------- Markdown

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

# -------------------------------------------------------------------------------- API

autosummary_generate = True
autodoc_typehints = "none"
autodoc_default_options = {"member-order": "bysource"}
numpydoc_show_class_members = False
numpydoc_use_plots = False

# ---------------------------------------------------------------------------- gallery

# Examples on real data are built where there are some.
LEFT_OUT = (
    r"^__init__\.py" if os.environ.get("SGDREG_DATA") else r"^__init__\.py|^plot_data_"
)
if not os.environ.get("SGDREG_DATA"):  # nor pages that an earlier build has left
    exclude_patterns.append("gallery/*/plot_data_*")
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "subsection_order": ["../examples/tutorials", "../examples/stories"],
    "doc_module": ("sgdreg",),
    "backreferences_dir": "gallery/uses",
    "filename_pattern": r"/plot_",
    "ignore_pattern": LEFT_OUT,
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,  # a page whose table comes from the network
    "remove_config_comments": True,
}

# ------------------------------------------------------------------------------- HTML

html_theme = "pydata_sphinx_theme"
html_title = f"sgdreg {version}"
html_static_path = ["_static"]
html_css_files = ["sgdreg.css"]
html_show_sphinx = False
html_sidebars = {"install": [], "start": []}  # no pages below them
html_show_sourcelink = False
html_copy_source = False
html_math_renderer = "mathml"
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system is
html_theme_options = {
    "footer_start": ["copyright"],
    "footer_end": [],
    "header_links_before_dropdown": 6,
    "logo": {"text": "sgdreg"},
    "navbar_align": "left",
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "show_toc_level": 2,
}


# ---------------------------------------------------------------------------- set-up


def visit_math(translator, node):
    """A formula in a line of text."""
    translator.body.append(mathml(node, as_block=False))
    raise nodes.SkipNode


def visit_math_block(translator, node):
    """A formula by itself, which scrolls where it is wider than the page."""
    formula = mathml(node, as_block=True)
    translator.body.append(f'<div class="formula">{formula}</div>\n')
    raise nodes.SkipNode


def mathml(node, as_block):
    """MathML of a formula; a warning, at its place, where docutils does not know it."""
    try:
        return tex2mathml(node.astext(), as_block=as_block)
    except MathError as error:
        getLogger(__name__).warning("%s", error, location=node)
        return ""


def trim_blocks(app, doctree):
    """Take the blank line away that ends an example in Markdown, where doctest needs it."""
    for block in doctree.findall(nodes.literal_block):
        block.rawsource = block.astext().rstrip()
        block.children = [nodes.Text(block.rawsource)]


def show_formulas(app, what, name, obj, options, lines):
    """Make docstrings, which are written to be read in a terminal, reStructuredText.

    An indented block after a sentence is a formula (but in numpydoc's sections, which
    begin with a line of dashes); `|r|` is an absolute value; a name may end in `_`.
    """
    ruled = [i for i, line in enumerate(lines) if re.fullmatch(r"-{3,}", line.strip())]
    sections = ruled[0] - 1 if ruled else len(lines)
    examples = next((i - 1 for i in ruled if lines[i - 1].strip() == "Examples"), None)
    made, within = [], False
    for i, line in enumerate(lines[:examples]):
        begins = not lines[i - 1].strip()
        formula = i < sections and line.startswith("    ") and (within or begins)
        if formula and not within:
            made += ["::", ""]
        within = formula or (within and not line.strip())
        named = i >= sections and not line.startswith(" ")
        made.append(line if within or named else escaped(line))
    lines[:] = made + (lines[examples:] if examples else [])


def escaped(line):
    """The line without references that are none, outside of its code."""
    parts = re.split(r"(`+[^`]*`+)", line)
    parts[::2] = [re.sub(r"\||(?<=\w)_(?!\w)", r"\\\g<0>", part) for part in parts[::2]]
    return "".join(parts)


def copy_explorable(app, exception):
    """The explorable, one file with its scripts and styles within."""
    source = HERE / "explorable"
    if exception or app.builder.name != "html":
        return
    spec = importlib.util.spec_from_file_location("bundle", source / "bundle.py")
    bundle = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bundle)
    target = Path(app.outdir) / "explorable"
    target.mkdir(exist_ok=True)
    (target / "index.html").write_text(bundle.bundle(source), encoding="utf-8")


def setup(app):
    """Register what is done here beside the extensions."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math_block, None))
    app.connect("doctree-read", trim_blocks)
    # Before numpydoc, which takes the sections apart.
    app.connect("autodoc-process-docstring", show_formulas, priority=400)
    app.connect("build-finished", copy_explorable)
