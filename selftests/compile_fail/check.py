"""Checks that each program beside this file is refused, and for its reason: check.py COMPILER FLAG...

The compiler's output must hold the text of each `// expect: text` line of the program. The program without its lines
marked `// wrong` must compile, so that it fails for that line alone.
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
HEADERS = "#include <lockstep/lockstep.hpp>\n#include <lockstep/testing/testing.hpp>\n"


def compile_headers(folder):
    """Compiles ahead what the programs include, for all of them. Returns what a compiler calls upon it with."""
    header = folder / "headers.hpp"
    header.write_text(HEADERS)
    subprocess.run([*COMMAND, "-x", "c++-header", header, "-o", f"{header}.gch"], check=True)
    return ["-include", header]


def compile(text):
    return subprocess.run([*COMMAND, *headers, "-fsyntax-only", "-x", "c++", "-"], input=text, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)


def problems(program):
    text = program.read_text(encoding="utf-8")
    expected = re.findall(r"^// expect: (.+)$", text, re.MULTILINE)
    wrong = re.compile(r"^.*// wrong$", re.MULTILINE)
    if not expected or not wrong.search(text):
        yield "has no line `// expect: text`, or none marked `// wrong`"
        return
    refused = compile(text)
    if refused.returncode == 0:
        yield "compiles"
    for message in expected:
        if message not in refused.stdout:
            yield f"does not say: {message}\n{refused.stdout}"
    repaired = compile(wrong.sub("", text))
    if repaired.returncode != 0:
        yield f"does not compile without its wrong lines either\n{repaired.stdout}"


with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    headers = compile_headers(pathlib.Path(folder))
    programs = sorted(HERE.glob("*.cpp"))
    found = [f"{program.name} {problem}" for program, found in
             zip(programs, pool.map(lambda p: list(problems(p)), programs)) for problem in found]
sys.exit("\n".join(found) or None)
