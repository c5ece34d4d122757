"""Proves that a run is the same however the program was built: portable.py PROGRAM.cpp [BUILD_FOLDER [LIBRARY]].

Builds the program together with the production sources by each compiler below, without GoogleTest and with header-only
fmt, and once more with g++: with the library that is given, as that has built it. Compares what
they print with each other and with PROGRAM.out. LOCKSTEP_APPROVE=1 writes that file anew, if all agree.
"""
import concurrent.futures
import difflib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

FRAMEWORK = pathlib.Path(__file__).parents[2] / "framework"
COMMON = ["-std=c++20", "-w", f"-I{FRAMEWORK}"]
HEADER_ONLY = ["-DFMT_HEADER_ONLY"]

# Modules that no simulation needs.
NOT_SIMULATED = {"adapters", "http", "real", "testing"}

# Each compiler with its standard library and level of optimization, and the Debian package to name when it is missing.
TOOLCHAINS = [
    (["clang++-19", "-stdlib=libc++", "-O3"], "libc++-19-dev and libc++abi-19-dev"),
    (["clang++-19", "-O0"], "clang-19"),
]
GCC = ["g++", "-O3"]


def one_source(program):
    """Everything as one source: a build is one short compilation then."""
    sources = sorted(path.relative_to(FRAMEWORK) for path in FRAMEWORK.glob("lockstep/*/*.cpp"))
    lines = [f"#include <{source.as_posix()}>" for source in sources if source.parts[1] not in NOT_SIMULATED]
    return "\n".join([*lines, f'#include "{program.resolve()}"', ""])


def missing(folder):
    """What cannot be used of the above, as a sentence each."""
    (folder / "probe.cpp").write_text("#include <coroutine>\n#include <fmt/format.h>\nint main() {}\n")
    for command, package in TOOLCHAINS:
        if shutil.which(command[0]) is None:
            yield f"{command[0]} is missing: install {package}"
            continue
        probe = subprocess.run([*command, *COMMON, *HEADER_ONLY, "probe.cpp", "-o", "probe"], cwd=folder, capture_output=True, text=True)
        if probe.returncode != 0:
            package = "libfmt-dev" if "fmt/format.h" in probe.stderr else package
            yield f"{' '.join(command)} does not work: install {package}\n{probe.stderr}"


def build_and_run(folder, command, flags=HEADER_ONLY, source="all.cpp", libraries=()):
    """What the program prints when it is built by `command`; raises with what the compiler or the program says."""
    name = "".join(c if c.isalnum() else "_" for c in " ".join(command))
    launcher = [ccache] if (ccache := shutil.which("ccache")) else []
    for step in ([*launcher, *command, *COMMON, *flags, "-c", source, "-o", f"{name}.o"],
                 [*command, f"{name}.o", *libraries, "-o", name], [f"./{name}"]):
        result = subprocess.run(step, cwd=folder, capture_output=True, text=True)
        if result.returncode != 0:
            raise RuntimeError(f"{' '.join(step)} ended with {result.returncode}\n{result.stdout}{result.stderr}")
    return result.stdout


def main(program, folder, library=None):
    if problems := list(missing(folder)):
        sys.exit("\n".join(problems))
    (folder / "all.cpp").write_text(one_source(program))
    builds = {" ".join(command): (folder, command) for command, _ in TOOLCHAINS}
    if library is None:
        builds[" ".join(GCC)] = (folder, GCC)
    else:
        builds[f"g++ {library.name}"] = (folder, ["g++", "-O0"], [], str(program.resolve()), [str(library), "-lfmt"])
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        outputs = dict(zip(builds, pool.map(lambda build: build_and_run(*build), builds.values())))

    expected_file = program.with_suffix(".out")
    expected = expected_file.read_text() if expected_file.exists() else ""
    if os.environ.get("LOCKSTEP_APPROVE") == "1" and len(set(outputs.values())) == 1:
        expected = next(iter(outputs.values()))
        expected_file.write_text(expected)
    bad = [build for build, output in outputs.items() if output != expected]
    for build, output in outputs.items():
        print(f"{build}: {output.count(chr(10))} runs, {'NOT as expected' if build in bad else 'as expected'}")
    for output in dict.fromkeys(outputs[build] for build in bad):
        print(f"printed by {', '.join(build for build in bad if outputs[build] == output)}:")
        changes = difflib.unified_diff(expected.splitlines(), output.splitlines(), expected_file.name, "printed", "", "", 0, "")
        print(*list(changes)[:12], sep="\n")
    if bad:
        sys.exit(f"{len(bad)} of {len(outputs)} builds differ from {expected_file.name}; "
                 "when all agree and the change is meant, accept it with LOCKSTEP_APPROVE=1")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        build_folder = pathlib.Path(sys.argv[2])
        build_folder.mkdir(parents=True, exist_ok=True)
        main(pathlib.Path(sys.argv[1]), build_folder, pathlib.Path(sys.argv[3]).resolve() if len(sys.argv) > 3 else None)
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(pathlib.Path(sys.argv[1]), pathlib.Path(temporary))
