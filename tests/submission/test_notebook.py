"""A notebook is read as the module that its code cells are, and built from the stub."""

import ast
import contextlib
import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from autograder.errors import SubmissionError
from autograder.submission.notebook import notebook_source
from autograder.submission.notebook_template import build_notebook

STUB = '''# %% [markdown]
# # Doubling
#
# Write $2x$, in 100 % of the cases.

# %%
"""Double a tensor."""

from __future__ import annotations

import math

# %% [markdown]
# ## The function

# %%
# cat the rows: jupytext would take this line for a shell command
# %matplotlib inline


def double(x: float) -> float:
    """Return twice `x`.

    # %% no cell starts here
    """
    raise NotImplementedError("double")


class Half:
    value = 10 \\
        % 3
'''


def cell(source: str | list[str], kind: str = "code", **metadata: Any) -> dict[str, Any]:
    outside: dict[str, Any] = {"outputs": [], "execution_count": None} if kind == "code" else {}
    return {"cell_type": kind, "source": source, "metadata": metadata, **outside}


def notebook(*cells: dict[str, Any]) -> str:
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)})


def code(source: str) -> str:
    return notebook_source(notebook(cell(source))).source


def message_of(text: str) -> str:
    with pytest.raises(SubmissionError) as caught:
        notebook_source(text, where="ada.ipynb")
    return str(caught.value)


def test_code_cells_are_joined_in_order_and_say_where_they_stood() -> None:
    text = notebook(cell("a = 1\n"), cell("# Title", "markdown"), cell(["b = 2\n", "c = 3"]), cell("x", "raw"))

    read = notebook_source(text)

    assert read.source == "# code cell 1\na = 1\n\n# code cell 2\nb = 2\nc = 3\n"
    assert read.removed == ()


def test_locked_cells_are_left_out_but_counted() -> None:
    text = notebook(cell("stolen = 1", nbgrader={"locked": True}), cell("mine = 1", nbgrader={"locked": False}))

    assert notebook_source(text).source == "# code cell 2\nmine = 1\n"


def test_lines_for_ipython_are_taken_out_and_reported() -> None:
    read = notebook_source(notebook(cell("%matplotlib inline\n!pip install torch\nx = 1")))

    assert read.removed == ("code cell 1, line 1: %matplotlib inline", "code cell 1, line 2: !pip install torch")
    assert read.source.splitlines()[3] == "x = 1"
    assert [type(node) for node in ast.parse(read.source).body] == [ast.Assign]


def test_a_magic_that_goes_on_after_a_backslash_is_taken_out_whole() -> None:
    read = notebook_source(notebook(cell("!pip install \\\n    torch\nx = 1")))

    assert read.removed == ("code cell 1, line 1: !pip install \\", "code cell 1, line 2: torch")
    assert len(ast.parse(read.source).body) == 1


def test_a_block_stays_a_block_without_its_magic() -> None:
    source = code("def f():\n    %time g()\n\nif True:\n    !ls\nelse:\n    x = 1")

    ast.parse(source)
    assert source.count("    pass  #") == 2


def test_a_future_import_may_follow_a_magic() -> None:
    compile(code("%autoreload 2\nfrom __future__ import annotations"), "m", "exec")


@pytest.mark.parametrize(
    "source",
    [
        "x = (7\n     % 3)",
        "x = [1,\n% 3]",
        'text = """\n% of the rows\n! all\n"""',
        "text = r'''\\\n% a ''' + \"'\"",
        "x = 7 \\\n  % 3",
        "y = 'a\\\n% b'",
        'print("(", \'"""\')  # ( [ """\n%magic',
    ],
)
def test_a_percent_sign_inside_a_statement_is_python(source: str) -> None:
    kept = [line for line in source.split("\n") if line != "%magic"]

    assert code(source).split("\n")[1:][: len(kept)] == kept


@pytest.mark.parametrize("magic", ["%%time", "%%timeit -n 3", "%%capture out"])
def test_the_body_under_a_cell_magic_that_runs_python_counts(magic: str) -> None:
    read = notebook_source(notebook(cell(f"\n{magic}\nx = 1")))

    assert "x = 1" in read.source.splitlines()
    assert read.removed == (f"code cell 1, line 2: {magic}",)


@pytest.mark.parametrize("magic", ["%%bash", "%%writefile other.py", "%%html", "%%!"])
def test_a_cell_in_another_language_goes_whole(magic: str) -> None:
    read = notebook_source(notebook(cell(f"{magic}\nx = 1"), cell("y = 1")))

    assert "x = 1" not in read.source
    assert read.removed == (f"code cell 1: {magic} (the whole cell)",)


@pytest.mark.parametrize(
    "line",
    [
        "check()",
        'check("values")  # right?',
        "check('values');",
        'check = checks("double")',
        "from autograder.jupyter import checks",
    ],
)
def test_a_line_that_runs_the_notebooks_checks_is_taken_out(line: str) -> None:
    read = notebook_source(notebook(cell(f"x = 1\n{line}")))

    assert read.source == "# code cell 1\nx = 1\n# (taken out: a line for the notebook, not for the module)\n"
    assert read.removed == (f"code cell 1, line 2: {line}",)


@pytest.mark.parametrize("own", ["def check(x=0):\n    return x", "check = print", "check: object = print"])
def test_a_check_of_ones_own_stays(own: str) -> None:
    assert "check()" in notebook_source(notebook(cell(own), cell("check()"))).source


@pytest.mark.parametrize(
    "line", ["check(values)", "x = check()", 'y = """\ncheck()\n"""', "if x:\n    check()", "recheck()"]
)
def test_other_lines_with_that_word_are_python(line: str) -> None:
    assert notebook_source(notebook(cell(line))).removed == ()


def test_outputs_are_not_looked_at() -> None:
    shouting = cell("x = 1") | {"outputs": [{"output_type": "stream", "text": ["x" * 2_000_000]}, 17]}

    assert notebook_source(notebook(shouting)).source == "# code cell 1\nx = 1\n"


def test_reported_lines_cannot_steer_a_terminal() -> None:
    read = notebook_source(notebook(cell("%cd \x1b[2J")))

    assert read.removed == ("code cell 1, line 1: %cd \\x1b[2J",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "{",
            "ada.ipynb: not a notebook (Expecting property name enclosed in double quotes: line 1 column 2 (char 1)); "
            "expected JSON as Jupyter writes it; open it in Jupyter and save it again",
        ),
        (
            "[" * 100_000,
            "ada.ipynb: not a notebook; expected JSON as Jupyter writes it; open it in Jupyter and save it again",
        ),
        (
            "[]",
            "ada.ipynb: JSON, but not a notebook; expected one of format 4; open it in Jupyter and save it again",
        ),
        (
            json.dumps({"nbformat": 3, "worksheets": [{"cells": []}]}),
            "ada.ipynb: a notebook of format 3; expected format 4; open it in a current Jupyter and save it again",
        ),
        (
            json.dumps({"nbformat": 4, "cells": {}}),
            "ada.ipynb: a notebook without a list of cells; expected format 4; open it in Jupyter and save it again",
        ),
        (
            notebook(cell("x = 1"), {"cell_type": "code", "source": 7}),
            "ada.ipynb: code cell 2 has no text; expected a string or a list of strings as its source; "
            "open it in Jupyter and save it again",
        ),
        (
            notebook(cell("x = '\ud800'")),
            "ada.ipynb: line 2 holds half a surrogate pair; expected valid Unicode; type that character again",
        ),
        (
            notebook(cell("x = 1\0")),
            "ada.ipynb: line 2 holds a NUL byte; expected Python source; save the file as text",
        ),
        (
            notebook(cell("# coding: rot13\nk = 1")),
            "ada.ipynb: declares the encoding rot13; expected UTF-8; save the file as UTF-8 and take that line out",
        ),
        (
            notebook(cell("x = 1\n" * 200_000)),
            "ada.ipynb: the code is longer than 1 MiB; expected a module written by hand; take data out of the code",
        ),
    ],
    ids=["json", "depth", "list", "version 3", "cells", "source", "surrogate", "nul", "coding", "size"],
)
def test_what_is_no_notebook_is_refused_in_clear_words(text: str, expected: str) -> None:
    assert message_of(text) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["cell_type", "source", "metadata", "x"]), inner),
)


@given(cells=st.lists(JSON | st.builds(lambda s, m: cell("") | {"source": s, "metadata": m}, JSON, JSON)) | JSON)
@settings(max_examples=150, deadline=None)
def test_strange_notebooks_are_read_or_refused(cells: Any) -> None:
    with contextlib.suppress(SubmissionError):
        notebook_source(json.dumps({"nbformat": 4, "cells": cells}))


@given(text=st.text(alphabet="%!\"'\\()[]{}#\n\r\t x=1"))
@example(text="\\\r\r")
@settings(max_examples=300, deadline=None)
def test_valid_python_is_never_altered(text: str) -> None:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        code(text)
        return

    assert ast.dump(ast.parse(code(text))) == ast.dump(tree)


def test_a_built_notebook_holds_the_stub() -> None:
    read = notebook_source(build_notebook(STUB, name="double"))

    assert ast.dump(ast.parse(read.source)) == ast.dump(ast.parse(STUB))
    assert read.removed == ()


def test_a_notebook_is_built_to_the_same_bytes() -> None:
    built = build_notebook(STUB, name="double")

    assert built == build_notebook(STUB, name="double")
    assert built.endswith("}\n")
    assert "jupytext" not in built.replace("jupytext would", "")


def test_cell_ids_are_unique_and_follow_name_place_and_text() -> None:
    def ids(text: str, name: str) -> list[str]:
        return [cell["id"] for cell in json.loads(build_notebook(text, name=name))["cells"]]

    once = ids("# %%\nx = 1\n\n# %%\nx = 1\n", "double")

    assert len(set(once)) == 2
    assert ids("# %%\nx = 1\n\n# %%\nx = 2\n", "double")[0] == once[0]
    assert ids("# %%\nx = 1\n\n# %%\nx = 1\n", "half")[0] != once[0]


def test_a_built_notebook_is_valid_and_starts_with_its_text() -> None:
    nbformat = pytest.importorskip("nbformat")
    built = nbformat.reads(build_notebook(STUB, name="double"), as_version=4)

    nbformat.validate(built)

    assert built.cells[0].source.startswith("# Doubling")
    assert built.metadata.kernelspec.name == "python3"


def test_locked_cells_of_a_stub_stay_locked() -> None:
    built = build_notebook('# %% nbgrader={"locked": true}\nx = 1\n\n# %%\ny = 2\n', name="double")

    assert notebook_source(built).source == "# code cell 2\ny = 2\n"
