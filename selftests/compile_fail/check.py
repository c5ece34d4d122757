"""Checks that each program beside this file is refused, and for its reason: check.py COMPILER FLAG...

The compiler's output must hold the text of each `// expect: text` line of the program. The program without its lines
marked `// wrong` must compile, so that it fails for that line alone. Many are tried at once, each in a namespace of its
own, and those alone of which that does not show it.
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
if "clang" in pathlib.Path(COMMAND[0]).name:
    COMMAND.append("-ferror-limit=0")


def compile_headers(folder):
    """Compiles ahead what programs include. Returns what a compiler calls upon it with."""
    header = folder / "headers.hpp"
    header.write_text("#include <lockstep/lockstep.hpp>\n#include <lockstep/testing/testing.hpp>\n")
    subprocess.run([*COMMAND, "-x", "c++-header", header, "-o", f"{header}.gch"], check=True)
    return ["-include", header]


def compile(text):
    return subprocess.run([*COMMAND, *headers, "-fsyntax-only", "-x", "c++", "-"], input=text,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


EXPECT = re.compile(r"^// expect: (.+)$", re.MULTILINE)
WRONG = re.compile(r"^.*// wrong$", re.MULTILINE)
INCLUDE = re.compile(r"^#include .*$", re.MULTILINE)
TEXTS = {program: program.read_text(encoding="utf-8") for program in sorted(HERE.glob("*.cpp"))}


def body(text):
    """All but the includes, with the same numbers of lines."""
    return INCLUDE.sub("", text)


def headers_of(programs):
    return sorted({line for program in programs for line in INCLUDE.findall(TEXTS[program])})


def groups_without_doubles(programs):
    """The programs, in groups in which nothing that one expects is what another says."""
    groups = []
    for each in programs:
        texts = EXPECT.findall(TEXTS[each])
        for members, expected in groups:
            if not any(one in other or other in one for one in texts for other in expected):
                members.append(each)
                expected += texts
                break
        else:
            groups.append(([each], texts))
    return [members for members, _ in groups]


def refused_among_others(programs):
    """Those that are refused at a wrong line, with what they alone expect, though all are compiled at once.

    After an error that hides others, one may say less: that is tried alone.
    """
    apart = [f'namespace {each.stem} {{\n#line 1 "{each.name}"\n{body(TEXTS[each])}\n}}' for each in programs]
    said = compile("\n".join([*headers_of(programs), *apart, ""])).stdout
    for each in programs:
        numbers = [i for i, line in enumerate(TEXTS[each].splitlines(), 1) if WRONG.match(line)]
        at_wrong_line = any(re.search(rf"\b{each.stem}\.cpp:{number}:", said) for number in numbers)
        expected = EXPECT.findall(TEXTS[each])
        if at_wrong_line and expected and all(text in said for text in expected):
            yield each


def problems(program):
    expected = EXPECT.findall(TEXTS[program])
    if not expected or not WRONG.search(TEXTS[program]):
        yield f"{program.name} has no line `// expect: text`, or none marked `// wrong`"
        return
    refused = compile(TEXTS[program])
    if refused.returncode == 0:
        yield f"{program.name} compiles"
    for message in expected:
        if message not in refused.stdout:
            yield f"{program.name} does not say: {message}\n{refused.stdout}"


def problems_of_the_repaired(programs):
    apart = [f"namespace {each.stem} {{\n{WRONG.sub('', body(TEXTS[each]))}\n}}" for each in programs]
    repaired = compile("\n".join([*headers_of(programs), *apart, ""]))
    if repaired.returncode != 0:
        yield f"one does not compile without its wrong lines either\n{repaired.stdout}"


with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    headers = compile_headers(pathlib.Path(folder))
    programs = list(TEXTS)
    repaired = pool.submit(lambda: list(problems_of_the_repaired(programs)))
    refused = {each for group in pool.map(lambda group: list(refused_among_others(group)),
                                          groups_without_doubles(programs)) for each in group}
    alone = [each for each in programs if each not in refused]
    found = [problem for each in pool.map(lambda program: list(problems(program)), alone) for problem in each]
    found += repaired.result()
sys.exit("\n".join(found) or None)
