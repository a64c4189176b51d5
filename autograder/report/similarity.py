"""Find submissions that are near-copies of each other, by fingerprints of their syntax.

Comments, docstrings, annotations, imports, the layout, the names that a submission gives and the order of its
definitions leave no trace in the fingerprints. Those of the stub, and those that most of a class has, count for
nothing. What is left of two submissions is compared.

Source: Schleimer, Wilkerson, Aiken, "Winnowing: Local Algorithms for Document Fingerprinting", SIGMOD 2003.
"""

from __future__ import annotations

import ast
import hashlib
import itertools
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from autograder.submission.reading import Submission

_GRAM = 10  # So many tokens make one fingerprint; a shorter passage that two submissions share is no match.
_WINDOW = 4  # Of so many in a row at least one is kept: shared passages of 13 tokens are always found.
_LEAST = 12  # Submissions with fewer fingerprints of their own say too little to be compared.
_RING = 4  # What no more submissions than these share is never taken for what most of a class has.
_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
_SILENT = (ast.Import, ast.ImportFrom, ast.Pass, ast.expr_context)


@dataclass(frozen=True)
class Pair:
    """Two submissions that are alike.

    Attributes:
        first, second: The submissions.
        share: How much of the one with less of its own stands in the other as well, from 0 to 1.
        shared: How many fingerprints both have.
        identical: Whether they are the same text.
    """

    first: Submission
    second: Submission
    share: float
    shared: int
    identical: bool = False


@dataclass(frozen=True)
class Copies:
    """Pairs, the most similar first, and those of whom only identical copies are found.

    Those are `unread`, which are no valid Python, and as many as `short` says with too little of their own.
    """

    pairs: tuple[Pair, ...]
    unread: tuple[Submission, ...]
    short: int


def near_copies(submissions: Sequence[Submission], *, stub: str = "", at_least: float = 0.6) -> Copies:
    """List the pairs that share at least so much; `stub` is what everybody started from."""
    by_digest: dict[str, list[Submission]] = defaultdict(list)
    for submission in submissions:
        if not submission.error:
            by_digest[submission.digest].append(submission)
    given = fingerprints(stub) or frozenset()
    found = {digest: fingerprints(same[0].source) for digest, same in by_digest.items()}
    written = {digest: prints - given for digest, prints in found.items() if prints is not None}
    counts = Counter(itertools.chain.from_iterable(written.values()))
    common = {each for each, number in counts.items() if number > max(_RING, len(written) // 2)}
    own = {digest: prints - common for digest, prints in written.items()}
    pairs = [
        Pair(*two, 1.0, len(own.get(digest, ())), identical=True)
        for digest, same in by_digest.items()
        if written.get(digest, True)  # the stub as it was is no copy
        for two in itertools.combinations(same, 2)
    ]
    enough = [(digest, prints) for digest, prints in own.items() if len(prints) >= _LEAST]
    for (one, mine), (other, theirs) in itertools.combinations(enough, 2):
        shared = len(mine & theirs)
        share = shared / min(len(mine), len(theirs))
        if shared and share >= at_least:
            pairs += (Pair(*two, share, shared) for two in itertools.product(by_digest[one], by_digest[other]))
    pairs.sort(key=lambda pair: (-pair.identical, -pair.share, -pair.shared, pair.first.student, pair.second.student))
    unread = (one for digest, same in by_digest.items() if found[digest] is None for one in same)
    short = sum(len(by_digest[digest]) for digest, prints in own.items() if len(prints) < _LEAST)
    return Copies(tuple(pairs), tuple(unread), short)


def fingerprints(source: str) -> frozenset[int] | None:
    """Return the fingerprints of a module; None where it is no valid Python."""
    try:
        tree = ast.parse(unicodedata.normalize("NFKC", source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    nodes = list(ast.walk(tree))
    bound, imported = _names(nodes)
    # Each statement of the module and each function stands for itself, so that their order says nothing.
    functions = [node for node in nodes if isinstance(node, _FUNCTION)]
    units = [*functions, *(node for node in tree.body if not isinstance(node, _FUNCTION))]
    return frozenset(itertools.chain.from_iterable(_winnow(list(_tokens(unit, bound, imported))) for unit in units))


def _names(nodes: Sequence[ast.AST]) -> tuple[set[str], dict[str, str]]:
    """Return the names that a module gives, and what those that it imports are called where they come from."""
    bound: set[str] = set()
    imported: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, ast.alias):
            imported[node.asname or node.name.partition(".")[0]] = node.name.rpartition(".")[2]
        elif isinstance(node, (*_FUNCTION, ast.ClassDef, ast.arg)) or isinstance(getattr(node, "ctx", None), ast.Store):
            bound |= {str(getattr(node, field)) for field in ("name", "arg", "id", "attr") if hasattr(node, field)}
    return bound, imported


def _tokens(unit: ast.AST, bound: set[str], imported: Mapping[str, str]) -> Iterator[str]:
    """Yield what a statement or function does, node by node; functions inside it are units of their own."""
    todo = [unit]
    while todo:
        node = todo.pop()
        if isinstance(node, _SILENT) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            continue  # a docstring, for example
        if node is not unit and isinstance(node, _FUNCTION):
            yield "def"
            continue
        hints = (getattr(node, "annotation", None), getattr(node, "returns", None))
        below = [child for child in ast.iter_child_nodes(node) if child not in hints]
        if isinstance(node, ast.Name):
            yield "name" if node.id in bound else imported.get(node.id, node.id)
        elif isinstance(node, ast.Attribute):
            yield "name" if node.attr in bound else node.attr
            root = node.value
            while isinstance(root, ast.Attribute):
                root = root.value
            if isinstance(root, ast.Name) and root.id in imported.keys() - bound:
                below = []  # F.relu, torch.relu and relu are one
        elif isinstance(node, ast.Constant):
            yield "text" if isinstance(node.value, str | bytes) else repr(node.value)
        elif isinstance(node, ast.keyword):
            yield "name" if node.arg in bound else f"{node.arg}="
        else:
            yield "Assign" if isinstance(node, ast.AnnAssign) else type(node).__name__
        todo += reversed(below)


def _winnow(tokens: Sequence[str]) -> Iterator[int]:
    """Yield the smallest hash of each window of passages; a short unit is one passage."""
    grams = (" ".join(tokens[start : start + _GRAM]) for start in range(max(1, len(tokens) - _GRAM + 1)))
    hashes = [int.from_bytes(hashlib.blake2b(gram.encode(), digest_size=8).digest(), "big") for gram in grams]
    return (min(hashes[start : start + _WINDOW]) for start in range(max(1, len(hashes) - _WINDOW + 1)))
