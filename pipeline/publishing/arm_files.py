"""Where the files of one arm stand: in a folder of its name, inside those that a study has."""

from pathlib import PurePosixPath


def of_arm(path: str, arm_folder: str) -> str:
    """Return the path of an arm's file, given that of the study's and the arm's subfolder.

    `results/estimates.csv` of the arm credit is `results/credit/estimates.csv`.
    """
    place = PurePosixPath(path)
    return (place.parent / arm_folder / place.name).as_posix()
