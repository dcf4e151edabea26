"""The claim about many small files.

The guide means small files in general, as data sets come: a file an image. So images of two sizes are read from both,
read and no more; and JPEGs are read and prepared by the input of a run.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.studies.claims import recorded
from benchmarks.studies.claims.claim import Case, Claim, Measured, Missing, Preparation, Way
from benchmarks.studies.claims.effect import NEGLIGIBLE
from benchmarks.studies.claims.machine import Machine
from benchmarks.studies.claims.programs.page_cache import can_drop
from benchmarks.studies.claims.runs import way
from benchmarks.studies.claims.samples import reading

_SIZES = (("3 kB", 32_000, 3072), ("110 kB", 900, 110_000))  # CIFAR-10's images, and about ImageNet's: 100 MB of each
_PROGRAMS = "benchmarks.studies.claims.programs"
_MAKING_SECONDS = 10.0  # of the files of a size
_COLD = 0.01  # more than this share in memory is no cold cache


def _cases(machine: Machine) -> Sequence[Case | Missing]:
    return [
        *(_read(machine, *size, cache) for cache in ("cold", "warm") for size in _SIZES),
        _prepared(machine),
    ]


def _read(machine: Machine, size: str, images: int, image_bytes: int, cache: str) -> Case | Missing:
    """Reading and nothing else."""
    name = f"{size} an image, {cache} cache"
    if cache == "cold" and not can_drop():
        return Missing(name, "posix_fadvise, by which a program that is not root has files leave the memory")
    folder = machine.work / f"files of {size}"
    words = ("-m", f"{_PROGRAMS}.read_files", f"--folder={folder}", f"--cache={cache}")
    made = (f"--folder={folder}", f"--images={images}", f"--image_bytes={image_bytes}")
    made_by = Preparation(("-m", f"{_PROGRAMS}.make_files", *made), seconds=_MAKING_SECONDS)
    return Case(
        name,
        Way("TFRecord", program=(*words, "--way=large"), prepared_by=made_by),
        Way("small files", program=(*words, "--way=small"), prepared_by=made_by),
        seconds=12.0,
        reasons=lambda large, small: _cost_of_files(large, small, cache),
    )


def _cost_of_files(large: Sequence[Measured], small: Sequence[Measured], cache: str) -> list[str]:
    """What a file takes beside a record, and how cold the cache was."""
    told = []
    record, of_record = (recorded.fact(large, name) for name in ("microseconds", "processor_microseconds"))
    file, of_file = (recorded.fact(small, name) for name in ("microseconds", "processor_microseconds"))
    if record is not None and file is not None and of_record is not None and of_file is not None:
        told.append(
            f"A record took {record:.0f} µs ({of_record:.0f} of a processor), a file of the same bytes {file:.0f} µs "
            f"({of_file:.0f} of a processor): each is found, opened and closed by itself, and in random order."
        )
        if record > file * (1 - NEGLIGIBLE):
            told.append(_why_no_slower(record, of_record))
    shares = [run.facts.get("resident_share") for run in (*large, *small)]
    known = [share for share in shares if isinstance(share, int | float)]
    if cache == "warm":
        return told
    if len(known) < len(shares):
        return [*told, "How cold the cache was the system does not tell: the files were given up by posix_fadvise."]
    worst = max(known)
    told.append(f"By mincore {worst:.0%} of the bytes or less were in memory before, after posix_fadvise.")
    if worst > _COLD:
        told.append("So the cache was not cold: something else held the files, or this system does not let go.")
    told.append(
        "Names and inodes stay in memory, as only root can drop those, and a disk or host may have memory of its own: "
        "after a boot small files are slower still."
    )
    return told


def _why_no_slower(record: float, of_record: float) -> str:
    """Why small files are no slower: what the one thread that reads records did in most of the `record` microseconds.

    It waited for at least what no processor's time was, `of_record`, as others of the process may compute meanwhile.
    """
    told = "At this size that is a small part: several small files are read at once, while one thread reads a TFRecord"
    if (waited := record - of_record) > record / 2:
        return f"{told} file, and waited for at least {waited:.0f} µs of each record's {record:.0f}."
    return f"{told} file, checks the checksum of each record and copies the image out of it."


def _prepared(machine: Machine) -> Case:
    """JPEGs through the whole input of a run, which has work beside the reading."""
    words = ("resnet50", 16, 60, "--input_only")
    return Case(
        "JPEGs, prepared",
        reading(way("TFRecord", machine, *words), machine, "imagenet"),
        reading(
            way("small files", machine, *words, "--input_method=small_files"), machine, "imagenet", "sample-images"
        ),
        seconds=20.0,
        reasons=lambda _large, _small: [
            "Here images are decoded, cut and resized too, from memory: what reading them costs is a small part of it."
        ],
    )


FILE_SIZE = Claim(
    "file_size",
    "Reading many small files is slow: convert them to TFRecord files of about 100 MB.",
    "TensorFlow performance guide (2017), on large files",
    _cases,
)
