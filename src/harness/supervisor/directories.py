"""Where the files of one unit are: its output, shared by its runs, and a directory for each run.

As few directories as can be: to make one may take as long as to start a program.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

__all__ = ["UnitDirectories"]

_RUN = "run-"


class UnitDirectories:
    """The directories of one unit, made 0700; kept, because making a path anew shows at 200 units.

    Attributes:
        root: of everything that belongs to the unit; its output is right in it.
    """

    __slots__ = ("root",)

    def __init__(self, project_directory: Path, unit: str) -> None:
        self.root = project_directory / "units" / unit

    def make(self) -> None:
        """Make what is not there yet."""
        try:
            os.mkdir(self.root, 0o700)
        except FileExistsError:
            pass
        except FileNotFoundError:
            # One by one: the mode is that of the last one only.
            self.root.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.root.mkdir(mode=0o700, exist_ok=True)

    def data(self) -> Path:
        """Return the directory for what the unit keeps, made when it is first asked for.

        It stays until the project is forgotten. Most units keep nothing, so they have none.
        """
        path = self.root / "data"
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path

    def run(self, generation: int) -> Path:
        """Return the directory of one run."""
        return self.root / f"{_RUN}{generation}"

    def make_run(self, generation: int) -> None:
        """Make the directory of one run; the others too where somebody removed them.

        Raises:
            FileExistsError: there is one already.
        """
        path = self.run(generation)
        try:
            os.mkdir(path, 0o700)
        except FileNotFoundError:
            self.make()
            os.mkdir(path, 0o700)

    def generations(self) -> list[int]:
        """Return the numbers of the runs that have a directory, in order."""
        names = [path.name.removeprefix(_RUN) for path in self.root.glob(f"{_RUN}*")]
        return sorted(int(name) for name in names if name.isdecimal())

    def remove_runs(self, below: int) -> None:
        """Remove the directories of runs with lower numbers; blocks, so call it in a thread."""
        for generation in self.generations():
            if generation < below:
                shutil.rmtree(self.run(generation), ignore_errors=True)

    def remove(self) -> None:
        """Remove everything; blocks, so call it in a thread."""
        shutil.rmtree(self.root, ignore_errors=True)
