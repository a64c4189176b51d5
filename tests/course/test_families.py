"""A family of forbidden calls holds every spelling, and may stand beside names of one's own."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from autograder.course.families import FAMILIES, expand
from autograder.course.loading import load_course

COURSE = Path(__file__).resolve().parents[2] / "course.yml"


@pytest.mark.parametrize(
    ("family", "count", "digest"),
    [
        ("softmax", 79, "93f0bca12ff7fae986dbbe65da9b32c5ad730bd404923cff32cdb5c66823c866"),
        ("matrix_products", 102, "16b74dba61ff153e561b9d76744b91164418e3e873ecdb7140b4870193367d6f"),
    ],
)
def test_no_name_is_lost_from_a_family(family: str, count: int, digest: str) -> None:
    names = FAMILIES[family]

    assert len(set(names)) == len(names) == count
    assert hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest() == digest


def test_families_and_dotted_names_may_be_mixed() -> None:
    names = expand(["torch.relu", "softmax", "torch.softmax", "aten::mm"])

    assert names == ("torch.relu", *FAMILIES["softmax"], "aten::mm")


def test_the_course_forbids_what_its_families_hold() -> None:
    course = load_course(COURSE)

    assert course.assignment("logsoftmax").forbidden == FAMILIES["softmax"]
    assert course.assignment("einsum_bmm").forbidden == FAMILIES["matrix_products"]
    assert course.assignment("checkpoint").forbidden == ("torch.utils.checkpoint.*",)
