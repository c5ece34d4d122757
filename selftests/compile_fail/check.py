"""Checks that each program beside this file is refused, and for its reason: check.py COMPILER FLAG...

The compiler's output must hold the text of each `// expect: text` line of the program. The program without its lines
marked `// wrong` must compile, so that it fails for that line alone; that is tried with all of them at once, each in a
namespace of its own.
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
COMMAND = sys.argv[1:] + ["-fdiagnostics-color=never", "-Werror"]
LIBRARY, TESTING = "lockstep/lockstep.hpp", "lockstep/testing/testing.hpp"


def compile_headers(folder, *included):
    """Compiles ahead what programs include. Returns what a compiler calls upon it with."""
    header = folder / f"headers_{len(included)}.hpp"
    header.write_text("".join(f"#include <{each}>\n" for each in included))
    subprocess.run([*COMMAND, "-x", "c++-header", header, "-o", f"{header}.gch"], check=True)
    return ["-include", header]


def compile(text):
    headers = with_testing if "#include <lockstep/testing/" in text else without_testing
    return subprocess.run([*COMMAND, *headers, "-fsyntax-only", "-x", "c++", "-"], input=text,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


WRONG = re.compile(r"^.*// wrong$", re.MULTILINE)
INCLUDE = re.compile(r"^#include .*$", re.MULTILINE)


def problems(program):
    text = program.read_text(encoding="utf-8")
    expected = re.findall(r"^// expect: (.+)$", text, re.MULTILINE)
    if not expected or not WRONG.search(text):
        yield f"{program.name} has no line `// expect: text`, or none marked `// wrong`"
        return
    refused = compile(text)
    if refused.returncode == 0:
        yield f"{program.name} compiles"
    for message in expected:
        if message not in refused.stdout:
            yield f"{program.name} does not say: {message}\n{refused.stdout}"


def problems_of_the_repaired(programs):
    texts = {program: WRONG.sub("", program.read_text(encoding="utf-8")) for program in programs}
    includes = [line for text in texts.values() for line in INCLUDE.findall(text)]
    apart = [f"namespace {program.stem} {{\n{INCLUDE.sub('', text)}\n}}" for program, text in texts.items()]
    repaired = compile("\n".join([*includes, *apart, ""]))
    if repaired.returncode != 0:
        yield f"one does not compile without its wrong lines either\n{repaired.stdout}"


with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    with_testing = compile_headers(pathlib.Path(folder), LIBRARY, TESTING)
    without_testing = compile_headers(pathlib.Path(folder), LIBRARY)  # takes less time to be read
    programs = sorted(HERE.glob("*.cpp"))
    repaired = pool.submit(lambda: list(problems_of_the_repaired(programs)))
    found = [problem for each in pool.map(lambda program: list(problems(program)), programs) for problem in each]
    found += repaired.result()
sys.exit("\n".join(found) or None)
