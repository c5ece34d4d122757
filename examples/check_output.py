"""Runs a program and compares all it prints with a file: check_output.py PROGRAM EXPECTED.

A failing program's exit status is the last line of the file. The line in which GoogleTest's main() says where it was
compiled is left out. LOCKSTEP_APPROVE=1 writes the file instead.
"""
import difflib
import os
import pathlib
import re
import subprocess
import sys

program, expected = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
environment = {"GTEST_COLOR": "no", "GTEST_PRINT_TIME": "0", "LOCKSTEP_FAILURES": "none"}
run = subprocess.run([f"./{program.name}"], cwd=program.parent, env=os.environ | environment,
                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, encoding="utf-8")
printed = re.sub(r"^Running main\(\) from .*\n", "", run.stdout)
if run.returncode:
    printed += f"exit status {run.returncode}\n"

if os.environ.get("LOCKSTEP_APPROVE"):
    expected.write_text(printed, encoding="utf-8")
wanted = expected.read_text(encoding="utf-8")
if printed != wanted:
    difference = difflib.unified_diff(wanted.splitlines(), printed.splitlines(),
                                      expected.name, "printed", lineterm="")
    sys.exit("\n".join(difference))
