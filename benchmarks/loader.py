"""How fast prepared records are read, beside what a training step of fusion_small consumes, and by which library.

python -m benchmarks.loader            (one CPU core, about three minutes)

Records a CPU second, one thread, one process. "consumed" is forward, backward and optimiser alone, features cached:
the fastest fusion_small. The same photos and signals are then read in random order from each library's files.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from fusion.training.compose import compose_config

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import pyarrow as pa
import torch
from rich.console import Console
from rich.table import Table
from safetensors import safe_open
from safetensors.numpy import save_file

from benchmarks.naive_step import Savings
from benchmarks.step import draws_of, switched_step
from datamodules.store import PreparedStore

READ = ("photo", "acc", "audio")  # streams that the libraries are compared on


def main(arguments: list[str] | None = None) -> dict[str, float]:
    """Print the two tables and give {what: records a second}."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("overrides", nargs="*", help="of train.py")
    args = parser.parse_intermixed_args(arguments)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        paths = [f"paths.run_dir={folder}", f"paths.output_dir={folder}"]
        cfg = compose_config(["data.cohort.num_people=400", *args.overrides, *paths])
        step = switched_step(cfg)
        draws = draws_of(step.data, cfg.data.batch_size)
        cached = Savings(*(True for _ in Savings._fields))
        reads = {"decoded": Savings(), "prepared": Savings(is_prepared=True), "features": cached}
        times: dict[str, list[float]] = {name: [] for name in (*reads, "consumed")}
        for number in range(args.rounds + 1):
            picked = next(draws)
            for name, savings in reads.items():
                times[name].append(_seconds(partial(step.batch, picked, savings)))
            batch = step.batch(picked, cached)
            times["consumed"].append(_seconds(partial(step.learn, batch, cached)))
            if not number:  # the first round warms up
                times = {name: [] for name in times}
        speeds = _print(times, cfg.data.batch_size, "read, with dropout, augmentation, targets and collation")
        stores = {name: step.raw[name] for name in READ}
        libraries = _print(_compare(stores, Path(folder), args.rounds), len(stores["photo"].keys), "one library's read")
    return {**speeds, **libraries}


def _compare(stores: dict[str, PreparedStore], folder: Path, rounds: int) -> dict[str, list[float]]:
    """CPU seconds of reading every item of ``stores`` once, in an order drawn anew each round."""
    keys = {name: list(store.keys) for name, store in stores.items()}
    readers: dict[str, dict[str, Callable[[int], object]]] = {"memmap": {}, "safetensors": {}, "arrow": {}}
    for name, store in stores.items():
        items = [np.ascontiguousarray(store[key].values) for key in keys[name]]
        readers["memmap"][name] = lambda row, store=store, name=name: store[keys[name][row]]
        readers["safetensors"][name] = _safetensors(items, folder / f"{name}.safetensors")
        readers["arrow"][name] = _arrow(items, folder / f"{name}.arrow")
    times: dict[str, list[float]] = {name: [] for name in readers}
    for number in range(rounds):
        rng = np.random.default_rng(number)
        orders = {name: rng.permutation(len(k)) for name, k in keys.items()}
        for library, by_stream in readers.items():
            times[library].append(_seconds(partial(_read_all, by_stream, orders)))
    return times


def _read_all(readers: dict[str, Callable[[int], object]], orders: dict[str, np.ndarray]) -> None:
    for name, read in readers.items():
        for row in orders[name]:
            read(int(row))


def _safetensors(items: list[np.ndarray], path: Path) -> Callable[[int], object]:
    """One file, a tensor an item."""
    save_file({str(row): item for row, item in enumerate(items)}, path)
    file = safe_open(path, "np")
    return lambda row: file.get_tensor(str(row))


def _arrow(items: list[np.ndarray], path: Path) -> Callable[[int], object]:
    """A memory-mapped Arrow file with a binary column, which is what HF datasets puts its arrays into."""
    table = pa.table({"bytes": [item.tobytes() for item in items]})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    column = pa.ipc.open_file(pa.memory_map(str(path))).read_all()["bytes"]
    kinds = [(item.dtype, item.shape) for item in items]
    return lambda row: np.frombuffer(column[row].as_buffer(), kinds[row][0]).reshape(kinds[row][1])


def _seconds(work: Callable[[], object]) -> float:
    begun_s = time.process_time()
    work()
    return time.process_time() - begun_s


def _print(times: dict[str, list[float]], num: int, title: str) -> dict[str, float]:
    """``num``: records each time is of. Gives records a second."""
    table = Table("", "ms a record", "records a CPU second", title=title)
    speeds = {name: num / statistics.median(each) for name, each in times.items()}
    for name, speed in speeds.items():
        table.add_row(name, f"{1000 / speed:.3f}", f"{speed:.0f}")
    Console().print(table)
    return speeds


if __name__ == "__main__":
    main()
