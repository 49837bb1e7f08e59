"""Collect what is wrong with a user's files, each with its file and line, instead of stopping at the first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

SHOWN = 8  # of the problems in one error message; the check command lists all


@dataclass(frozen=True, kw_only=True)
class Problem:
    """``line`` counts from 1, None = the file as a whole; an error stops training, a warning does not."""

    file: Path
    line: int | None
    message: str
    is_error: bool

    def said(self, root: Path) -> str:
        """One line, the file relative to ``root``."""
        file = self.file.relative_to(root) if self.file.is_relative_to(root) else self.file
        return f"{file}{'' if self.line is None else f', line {self.line}'}: {self.message}"


@dataclass
class Problems:
    """Everything found so far, in the order of finding."""

    root: Path
    found: list[Problem] = field(default_factory=list)

    def error(self, file: Path, message: object, line: int | None = None) -> None:
        self.found.append(Problem(file=file, line=line, message=str(message), is_error=True))

    def warn(self, file: Path, message: object, line: int | None = None) -> None:
        self.found.append(Problem(file=file, line=line, message=str(message), is_error=False))

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.found if problem.is_error]

    @contextmanager
    def caught(self, file: Path, line: int | None = None) -> Iterator[None]:
        """Note a ValueError or OSError of the block as an error of ``file`` and go on after the block."""
        try:
            yield
        except (ValueError, OSError) as error:
            self.error(file, error, line)

    def stop(self) -> None:
        """Raise ValueError where there is any error."""
        if self.errors:
            said = "\n  ".join(problem.said(self.root) for problem in self.errors[:SHOWN])
            more = len(self.errors) - SHOWN
            rest = f"\n  and {more} more" if more > 0 else ""
            raise ValueError(
                f"{len(self.errors)} problems in {self.root} (all of them: python -m datamodules.check "
                f"{self.root}):\n  {said}{rest}"
            )
