#!/usr/bin/env python3
"""Runs lockstep_bench and prints lockstep's times as multiples of the floor's, beside what is wanted.

    run.py BUILD_DIR [--repetitions N] [--filter REGEX] [--instructions] [--json FILE]

All runtimes are in one binary and their repetitions are interleaved at random, so that a busy neighbour slows each of
them alike; figures are medians. Times depend on the machine, ratios less, and instructions not at all. Nothing is
judged: the exit status tells only whether the benchmarks ran.
"""

import argparse
import json
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

RUNTIMES = ("floor", "lockstep", "asio")
SEARCH = "search"  # what searching costs, beside other work of lockstep's own

# id, the work in words, the multiple of the floor that is wanted
WORK = [
    ("W1_1", "yield, 1 task", 2.0),
    ("W1_100", "yield, 100 tasks", 2.0),
    ("W1_10k", "yield, 10,000 tasks", 2.0),
    ("W2_call", "await a trivial child", 1.5),
    ("W2_seq", "spawn and join, in turn", 2.5),
    ("W2_batch", "spawn 10^6, then join", 2.5),
    ("W3_1e3", "timer, 10^3 asleep", 1.8),
    ("W3_1e5", "timer, 10^5 asleep", 1.4),
    ("W3_1e6", "timer, 10^6 asleep", 1.4),
    ("W3_cancel1e4", "start and cancel a timer", 2.0),
    ("W4_chan1", "queue of 1, hand-off", 2.5),
    ("W4_chan64", "queue of 64, hand-off", 2.5),
    ("W4_lock100", "mutex, 100 tasks", 2.5),
    ("W4_sem", "semaphore, ping-pong", 2.5),
    ("W5_echo64", "TCP, 64 bytes and back", 6.0),
    ("W5_bulk", "TCP, 1 MiB", 1.3),
    ("W11_read4k", "read 4 KiB of a file", 3.0),
    ("W11_write4k", "write 4 KiB of a file", 3.0),
    ("W11_stat", "status of a path of 4 parts", 5.0),
    ("W11_open", "open and close it", 5.0),
    ("W11_rename", "rename it", 5.0),
    ("W6_3x3", "run 3 tasks of 3 steps", 4.0),
    ("W6_3x3r", "the same, in random order", 4.0),
    ("W6_2x5", "run 2 tasks of 5 steps", 4.0),
]
# id, the work in words, the id of what it is compared with, the multiple of that which is wanted. What the first three
# are compared with is the same run, without the search: that is one of the multiple, and the search's own part the rest.
SEARCHES = [
    ("W7_race", "search a race, a run", "W7_race_again", 4.0),
    ("W7_shared", "search shared variables", "W7_shared_again", 4.0),
    ("W7_lock", "search a mutex", "W7_lock_again", 4.0),
    ("W8_3x30", "random, 3 tasks of 30, a step", "W8_3x3", 1.2),
    ("W8_3x300", "random, 3 tasks of 300", "W8_3x3", 1.2),
    ("W8_3x3000", "random, 3 tasks of 3,000", "W8_3x3", 1.2),
    ("W8_30x3", "random, 30 tasks of 3", "W8_3x3", 1.2),
    ("W8_300x3", "random, 300 tasks of 3", "W8_30x3", 1.2),
    ("W9_3x30", "search 3 tasks of 30, a step", "W9_3x3", 1.2),
    ("W9_3x300", "search 3 tasks of 300", "W9_3x3", 1.2),
    ("W9_3x3000", "search 3 tasks of 3,000", "W9_3x300", 2.0),
    ("W9_30x3", "search 30 tasks of 3", "W9_3x3", 1.2),
    ("W9_300x3", "search 300 tasks of 3", "W9_30x3", 10.0),
    ("W10_explorer", "the explorer, a run", "W10_loop", 1.3),
]
BYTES_WANTED = 256  # a parked task, in all

# The same of lockstep's network.
LINKS = [
    ("W5_faulty", "a link with faults, 64 bytes and back", "W5_link", 2.0),
    ("W5_idle1e4", "among 10,000 hosts, 64 bytes and back of two", "W5_idle10", 1.1),
]
# And of its disks.
DISKS = [
    ("W11_files1e6", "10^6 files, one", "W11_files1e3", 4.0),
    ("W11_changes1e6", "10^6 changes of a file, one", "W11_changes1e3", 1.5),
]
# What memory far from the processor costs anybody.
FLOOR_DISKS = [("W11_files1e6", "10^6 pages by name in hash maps, one", "W11_files1e3", None)]
HOSTS = [("W5_hosts10", 10), ("W5_hosts100", 100), ("W5_hosts1e3", 1_000), ("W5_hosts1e4", 10_000)]
CONNECTION_BYTES_WANTED = 2048  # idle, both ends, beyond the hosts

# Two scales whose difference is free of start-up. A workload of rounds must do more of them at the second.
SCALES = {"W3_1e3": (0.01, 0.03), "W3_1e5": (0.1, 0.3), "W5_hosts1e3": (0.01, 0.03), "W5_hosts1e4": (0.05, 0.15)}
SCALES_OTHERWISE = (0.003, 0.009)
TOO_LONG_UNDER_VALGRIND = {"W3_1e6"}


def find_binary(build_dir):
    found = sorted(pathlib.Path(build_dir).rglob("lockstep_bench"))
    found = [path for path in found if path.is_file()]
    if not found:
        sys.exit(f"run.py: no lockstep_bench under {build_dir}; it is built where Google Benchmark is found")
    return found[0]


def run(binary, arguments, under=()):
    """Google Benchmark's report, and what the program that it ran under said."""
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        command = [*under, str(binary), *arguments, f"--benchmark_out={out.name}", "--benchmark_out_format=json"]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        if ended.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} ended with {ended.returncode}:\n{ended.stderr}")
        return json.load(out), ended.stderr


def measure(binary, wanted, repetitions):
    """(context, {(runtime, id): {"ns": median, "samples": [...], "bytes": median}})"""
    report, _ = run(binary, [
        f"--benchmark_filter={wanted}",
        f"--benchmark_repetitions={repetitions}",
        "--benchmark_enable_random_interleaving=true",
    ])
    samples = {}
    for entry in report.get("benchmarks", []):
        if entry["run_type"] == "iteration":
            runtime, work = entry["name"].split("/")[:2]
            samples.setdefault((runtime, work), []).append(entry)
    figures = {}
    for key, entries in samples.items():
        times = [entry["ns_per_operation"] for entry in entries]
        figures[key] = {
            "ns": statistics.median(times),
            "samples": times,
            "bytes": statistics.median(entry["bytes_per_task"] for entry in entries),
            "host_bytes": statistics.median(entry["bytes_per_host"] for entry in entries),
            "building_ns": statistics.median(entry["building_ns"] for entry in entries),
        }
    return report["context"], figures


def count_instructions(binary, runtime, work):
    """Instructions an operation; None where they cannot be counted."""
    counted = []
    for scale in SCALES.get(work, SCALES_OTHERWISE):
        under = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
        try:
            report, said = run(binary, [f"--benchmark_filter=^{runtime}/{work}/", f"--scale={scale}"], under)
        except RuntimeError as failure:
            print(f"run.py: {failure}", file=sys.stderr)
            return None
        collected = re.search(r"Collected : (\d+)", said)
        if collected is None:
            return None
        counted.append((int(collected[1]), report["benchmarks"][0]["operations"]))
    (few, few_operations), (many, many_operations) = counted
    if many_operations == few_operations:
        return None
    return (many - few) / (many_operations - few_operations)


def format_number(value):
    if value is None:
        return "–"
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"


def ratio(figures, work, runtime, what):
    above = figures.get((runtime, work), {}).get(what)
    below = figures.get(("floor", work), {}).get(what)
    return above / below if above and below else None


def print_table(figures, with_instructions):
    heads = ["work", "floor ns", "lockstep ns", "×", "wanted ×", "asio ×"]
    if with_instructions:
        heads += ["floor instr", "lockstep instr", "×", "asio ×"]

    def cells(name, work, what, wanted):
        value = {runtime: figures.get((runtime, work), {}).get(what) for runtime in RUNTIMES}
        return [name, format_number(value["floor"]), format_number(value["lockstep"]),
                format_number(ratio(figures, work, "lockstep", what)), wanted,
                format_number(ratio(figures, work, "asio", what))]

    rows = []
    for work, name, wanted in WORK:
        if not any((runtime, work) in figures for runtime in RUNTIMES):
            continue
        row = cells(name, work, "ns", f"≤ {wanted}")
        if with_instructions:
            counts = cells(name, work, "instructions", "")
            row += counts[1:4] + counts[5:]
        rows.append(row)
        if work == "W2_batch":
            row = cells("  bytes a parked task", work, "bytes", f"≤ {BYTES_WANTED} B")
            rows.append(row + [""] * (len(heads) - len(row)))
    print_rows(heads, rows, words=(0,))
    print_growth(figures)
    print_hosts(figures)
    print_beside(figures, "network", "lockstep", LINKS)
    print_beside(figures, "disks", "lockstep", DISKS)
    print_beside(figures, "disks of the floor", "floor", FLOOR_DISKS)
    print_beside(figures, "search", SEARCH, SEARCHES)


def print_hosts(figures):
    """Whether the number of hosts tells, and what they hold."""
    heads = ["hosts", "floor ns", "× 10 pairs", "lockstep ns", "× floor", "× 10 hosts", "instr", "B a connection",
             "B a host", "ns to build"]
    rows = []
    for work, hosts in HOSTS:
        floor, ours = (figures.get((runtime, work), {}) for runtime in ("floor", "lockstep"))
        if not ours:
            continue
        rows.append([f"{hosts:,}", format_number(floor.get("ns")), format_number(growth(figures, "floor", work)),
                     format_number(ours["ns"]), format_number(ratio(figures, work, "lockstep", "ns")),
                     format_number(growth(figures, "lockstep", work)), format_number(ours.get("instructions")),
                     format_number(ours["bytes"]), format_number(ours["host_bytes"]),
                     format_number(ours["building_ns"])])
    if not rows:
        return
    print()
    print_rows(heads, rows, words=())
    print(f"wanted: as fast among many, ≤ {CONNECTION_BYTES_WANTED} B a connection")


def growth(figures, runtime, work):
    """What it costs beside the same of the fewest hosts; the floor's own tells what cold caches do to anybody."""
    few, many = (figures.get((runtime, each), {}).get("ns") for each in (HOSTS[0][0], work))
    return many / few if few and many else None


def print_rows(heads, rows, words):
    """`words` are the columns that begin at the left."""
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(len(heads))]
    for row in [heads, *rows]:
        print(" | ".join(cell.ljust(width) if column in words else cell.rjust(width)
                         for column, (cell, width) in enumerate(zip(row, widths))))


def print_beside(figures, head, runtime, lines):
    heads = [head, "ns", "beside", "ns", "×", "wanted ×"]
    rows = []
    for work, name, other, wanted in lines:
        ours, theirs = (figures.get((runtime, each), {}).get("ns") for each in (work, other))
        if ours and theirs:
            rows.append([name, format_number(ours), other, format_number(theirs), format_number(ours / theirs),
                         f"≤ {wanted}" if wanted else "–"])
    if not rows:
        return
    print()
    print_rows(heads, rows, words=(0, 2))


def print_growth(figures):
    grown = []
    for runtime in RUNTIMES:
        few, many = (figures.get((runtime, work), {}).get("ns") for work in ("W3_1e3", "W3_1e6"))
        if few and many:
            grown.append(f"{runtime} {many / few:.0f}×")
    if grown:
        print("growth of a timer's cost from 10^3 to 10^6: " + ", ".join(grown))


def as_json(context, figures):
    return {
        "context": context,
        "work": [{
            "id": work,
            "name": name,
            "wanted": wanted,
            "ratio": ratio(figures, work, "lockstep", "ns"),
            "runtimes": {runtime: figures[runtime, work] for runtime in RUNTIMES if (runtime, work) in figures},
        } for work, name, wanted in WORK],
        "hosts": [{
            "id": work,
            "hosts": hosts,
            "runtimes": {runtime: figures[runtime, work] for runtime in RUNTIMES if (runtime, work) in figures},
        } for work, hosts in HOSTS],
        "network": beside(figures, "lockstep", LINKS),
        "disks": beside(figures, "lockstep", DISKS),
        "floor_disks": beside(figures, "floor", FLOOR_DISKS),
        "searches": beside(figures, SEARCH, SEARCHES),
    }


def beside(figures, runtime, lines):
    return [{
        "id": work,
        "name": name,
        "beside": other,
        "wanted": wanted,
        "figure": figures[runtime, work],
        "figure_beside": figures.get((runtime, other)),
    } for work, name, other, wanted in lines if (runtime, work) in figures]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build_dir")
    parser.add_argument("--repetitions", type=int, default=7, metavar="N", help="of each workload; the default is 7")
    parser.add_argument("--filter", default=".", metavar="REGEX", help="which benchmarks, as in lockstep_bench")
    parser.add_argument("--instructions", action="store_true", help="count them as well, where valgrind is found")
    parser.add_argument("--json", metavar="FILE", help="write every figure there as well; - instead of the table")
    arguments = parser.parse_args()

    binary = find_binary(arguments.build_dir)
    print(f"run.py: {arguments.repetitions} repetitions of every workload; about 10 s each", file=sys.stderr)
    try:
        context, figures = measure(binary, arguments.filter, arguments.repetitions)
    except RuntimeError as failure:
        sys.exit(f"run.py: {failure}")

    with_instructions = arguments.instructions and shutil.which("valgrind") is not None
    if arguments.instructions and not with_instructions:
        print("run.py: no valgrind, so no instructions", file=sys.stderr)
    if with_instructions:
        print("run.py: counting instructions; some minutes", file=sys.stderr)
        for (runtime, work), figure in figures.items():
            if work not in TOO_LONG_UNDER_VALGRIND:
                figure["instructions"] = count_instructions(binary, runtime, work)

    if arguments.json != "-":
        print(f"compiler {context.get('compiler')}, build type {context.get('build_type')}")
        if context.get("build_type", "").lower() not in ("release", "relwithdebinfo", "debugoptimized"):
            print("the library is not optimized: these figures say nothing")
        print_table(figures, with_instructions)
    if arguments.json is not None:
        text = json.dumps(as_json(context, figures), indent=2) + "\n"
        if arguments.json == "-":
            sys.stdout.write(text)
        else:
            pathlib.Path(arguments.json).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
