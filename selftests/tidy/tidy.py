"""The project's rules that no compiler knows: tidy.py [ROOT] prints each breach and fails if there is one.

A rule is a generator of breaches over a `Tree`; RULES at the end lists them. tidy_test.py plants a breach of each.
"""
import os
import pathlib
import re
import sys
import textwrap

# The layers of docs/design/architecture.md, lowest first. A module includes itself and what is in earlier rows.
# "" is the header of everything but tests, lockstep.hpp.
LAYERS = [["base"], ["choice"], ["trace"], ["time"], ["runtime"], ["sync"], ["system"], ["net", "fs"], ["sim", "real"],
          ["explore", "adapters"], ["report", "http"], [""], ["testing"]]
ROW = {module: row for row, modules in enumerate(LAYERS) for module in modules}

TOP_LEVEL = {"framework", "examples", "selftests", "docs", "subprojects", "CMakeLists.txt", "CMakePresets.json",
             "meson.build", "meson_options.txt", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "dev"}
LINES_MAX = 600

CLOCK = r"\b(?:steady|high_resolution)_clock\b|system_clock::now|\bclock_gettime\b|\bgettimeofday\b|\bstd::time\("
THREAD = r"\bstd::(?:thread\b(?!::id)|jthread|async)\b|\bpthread_create\b|\bfork\("
SLEEP = r"this_thread::sleep|\busleep\(|\bnanosleep\("
RANDOM = r"std::shuffle|\w+_distribution\b|random_device|\bmt19937|\bstd::rand\(|\bgetrandom\("
UNORDERED = r"\bunordered_\w+|std::(?:map|set|less)<[^,<>]*\*"

# Folder, pattern, what is wrong with it, and the paths that may.
BANS = [
    ("framework/", CLOCK, "reads a real clock",
     ["framework/lockstep/real/", "framework/lockstep/testing/watcher.", "framework/lockstep/testing/exploration.",
      "framework/lockstep/testing/progress_line."]),  # a search has a budget of time, and tells of its progress
    ("framework/", THREAD, "makes a thread",
     ["framework/lockstep/real/", "framework/lockstep/testing/watcher.", "framework/lockstep/testing/worker_process."]),
    ("framework/", SLEEP, "sleeps in real time", ["framework/lockstep/real/"]),
    ("framework/", RANDOM, "draws, and not from the oracle", []),
    ("framework/", UNORDERED, "has an order that differs between runs or libraries", []),
    ("selftests/", CLOCK, "reads a real clock",
     ["selftests/bench/", "selftests/testing/watcher_test.cpp", "selftests/sim/c_ares.cpp"]),  # which replaces it
    ("selftests/", SLEEP, "sleeps in real time", ["selftests/testing/watcher_test.cpp"]),
    ("examples/", CLOCK, "reads a real clock", ["examples/crawler/main.cpp"]),  # prints how long it took
    ("examples/", SLEEP, "sleeps in real time", []),
]


class Tree:
    """The files under a root, as paths relative to it with forward slashes."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.paths = []
        for folder, folders, names in os.walk(self.root):
            here = pathlib.Path(folder).relative_to(self.root)
            folders[:] = [name for name in folders if name not in (".git", ".cache", "__pycache__")
                          and not (here == pathlib.Path() and name.startswith("build")) and here.name != "subprojects"]
            self.paths += [(here / name).as_posix() for name in names]
        self.paths.sort()

    def files(self, under="", *suffixes):
        return [path for path in self.paths if path.startswith(under) and path.endswith(suffixes or "")]

    def text(self, path):
        return (self.root / path).read_text(encoding="utf-8", errors="replace") if path in self.paths else ""

    def lines(self, path):
        return enumerate(self.text(path).splitlines(), 1)


def module_of(path):
    """M of framework/lockstep/M/F.hpp and of selftests/M/F_test.cpp."""
    parts = path.removeprefix("framework/lockstep/").removeprefix("selftests/").split("/")
    return parts[0] if len(parts) > 1 else ""


def includes(tree, path):
    return re.findall(r"^\s*#\s*include\s+([<\"][^>\"]+[>\"])", tree.text(path), re.MULTILINE)


def code_lines(text):
    """The numbered lines without comments and literals."""
    blank = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"', re.DOTALL)
    return enumerate(blank.sub(lambda match: "\n" * match[0].count("\n"), text).splitlines(), 1)


def mirror(tree):
    """framework/lockstep/M/F.hpp has selftests/M/F_test.cpp, and no test is about nothing."""
    for header in tree.files("framework/lockstep/", ".hpp"):
        if header.count("/") == 3:
            test = header.replace("framework/lockstep/", "selftests/").replace(".hpp", "_test.cpp")
            if test not in tree.paths:
                yield f"{header}: has no test {test}"
    for test in tree.files("selftests/", "_test.cpp"):
        if module_of(test) in ROW:
            tested = test.replace("selftests/", "framework/lockstep/").replace("_test.cpp", "")
            if f"{tested}.hpp" not in tree.paths and f"{tested}.cpp" not in tree.paths:
                yield f"{test}: tests {tested}.hpp, which does not exist"


def layers(tree):
    for path in tree.files("framework/lockstep/", ".hpp", ".cpp"):
        module = module_of(path)
        if module not in ROW:
            yield f"{path}: {module} is in no layer"
            continue
        for include in includes(tree, path):
            if include.startswith('"'):
                yield f"{path}: include {include} as <lockstep/...>"
            if not include.startswith("<lockstep/"):
                continue
            other = module_of(include[1:].replace("lockstep/", "framework/lockstep/", 1))
            if other != module and ROW.get(other, len(LAYERS)) >= ROW[module]:
                yield f"{path}: {module} includes {include}, which is not in a layer below"
    for path in tree.files("", ".hpp", ".cpp"):
        for include in includes(tree, path):
            found = re.match(r"<lockstep/(\w+)/detail/", include)
            if found and found[1] != module_of(path):
                yield f"{path}: includes {include}, a detail of another module"


def build_lists(tree):
    """What CMake builds is what Meson builds is what is on disk."""
    def listed(folder, build_file):
        found = set()
        for path in tree.files(folder, f"/{build_file}"):
            if not path.startswith("selftests/consumers/"):
                text = re.sub(r"#.*", "", tree.text(path))
                text = re.sub(r"set_source_files_properties\([^)]*\)", "", text)  # of sources that are listed elsewhere
                here = path.removesuffix(build_file)
                found |= {here + name for name in re.findall(r"(\w[\w./-]*\.[ch]pp)\b", text)}
        return found

    for folder, suffixes in ("framework/", (".hpp", ".cpp")), ("selftests/", (".cpp",)), ("examples/", (".cpp",)):
        disk = {path for path in tree.files(folder, *suffixes)
                if not path.startswith(("selftests/consumers/", "selftests/compile_fail/"))}
        for build_file in "CMakeLists.txt", "meson.build":
            names = {name for name in listed(folder, build_file) if name.endswith(suffixes)}
            for path in sorted(disk - names):
                yield f"{path}: in no {build_file}"
            for path in sorted(names - disk):
                yield f"{path}: listed in a {build_file}, but does not exist"


def bans(tree):
    for folder, pattern, wrong, allowed in BANS:
        for path in tree.files(folder, ".hpp", ".cpp"):
            if path.startswith(tuple(allowed)):
                continue
            for number, line in code_lines(tree.text(path)):
                if found := re.search(pattern, line):
                    yield f"{path}:{number}: {found[0]} {wrong}"


def sizes(tree):
    for path in tree.files("", ".hpp", ".cpp", ".py", "CMakeLists.txt", "meson.build"):
        count = tree.text(path).count("\n")
        if count > LINES_MAX:
            yield f"{path}: has {count} lines, the limit is {LINES_MAX}"


def unfinished(tree):
    """A test switched off, or a thing to do, names the issue that will end it."""
    for path in tree.files("", ".hpp", ".cpp", ".md"):
        is_user = path.startswith(("selftests/", "examples/"))
        words = r"\b(?:TODO|FIXME)\b" + (r"|\bDISABLED_|\bGTEST_SKIP\b" if is_user else "")
        for number, line in tree.lines(path):
            found = re.search(words, line)
            if found and not re.search(r"#\d+|issue \d+", line):
                yield f"{path}:{number}: {found[0]} without an issue number"


def headers(tree):
    """Each compiles alone: as the first in its source, or in the build's all_verify_interface_header_sets."""
    for path in tree.files("", ".hpp"):
        first = next((line for _, line in tree.lines(path) if line and not line.startswith("//")), "")
        if first != "#pragma once":
            yield f"{path}: does not begin with #pragma once"
    for path in tree.files("framework/lockstep/", ".cpp"):
        own = path.replace(".cpp", ".hpp")
        wanted = own.removeprefix("framework/")
        if own not in tree.paths:  # a second source of a class: any header of its module
            wanted = wanted.rpartition("/")[0] + "/"
        first = next(iter(includes(tree, path)), "nothing")
        if not first.startswith(f"<{wanted}"):
            yield f"{path}: includes {first} first, not <{wanted}"


def snippets(tree):
    """Code in the docs is code of the examples, and output is their output.

    A fence says where its text is: ```cpp file=examples/01_hello.cpp tag=body is what stands between the lines
    // [body] and // [/body]; ```text file=examples/01_hello.out part is some lines in a row of that file.
    """
    for path in tree.files("README.md") + tree.files("docs/", ".md"):
        fence = re.compile(r"^```(\w+)?[ ]*([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
        for found in fence.finditer(tree.text(path)):
            language, marks, shown = found.groups()
            where = f"{path}:{tree.text(path)[:found.start()].count(chr(10)) + 1}"
            mark = dict(word.partition("=")[::2] for word in marks.split())
            if "file" not in mark:
                if language == "cpp":
                    yield f"{where}: C++ without file=, so nothing compiles it"
                continue
            if mark["file"] not in tree.paths:
                yield f"{where}: {mark['file']} does not exist"
                continue
            text = tree.text(mark["file"])
            if "tag" in mark:
                tag = re.escape(mark["tag"])
                body = re.search(rf"^[ ]*// \[{tag}\]\n(.*?)^[ ]*// \[/{tag}\]$", text, re.MULTILINE | re.DOTALL)
                text = textwrap.dedent(body[1]) if body else ""
            if shown != text and not ("part" in mark and f"\n{shown}" in f"\n{text}"):
                yield f"{where}: is not what {mark['file']} says"


def proofs(tree):
    """In a table of the reference, each row says all that its columns ask for, and names tests that exist."""
    cell = re.compile(r"`([\w/]+\.cpp)`|`([A-Z][a-z]+[A-Z]\w+)`")
    tests = {}  # by the name of the file
    for path in tree.files("selftests/", ".cpp"):
        declared = re.findall(r"\w*TEST\w*\(\s*\w+,\s*(\w+)", tree.text(path))
        tests.setdefault(path.rpartition("/")[2], set()).update(declared)
    for path in tree.files("docs/reference/", ".md"):
        for number, line in tree.lines(path):
            if not line.startswith("|"):
                continue
            cells = [text.strip() for text in line.strip().strip("|").split("|")]
            if "" in cells:
                yield f"{path}:{number}: has an empty cell"
            file = ""
            for named, test in cell.findall(cells[-1]):
                file = named.rpartition("/")[2] or file
                if test and test not in tests.get(file, ()):
                    yield f"{path}:{number}: {test} is no test in {file or 'any file that is named before'}"


def machine_paths(tree):
    """No path of anybody's machine, so that the tree means the same everywhere."""
    path_of_machine = re.compile(r"(?<![\w.}])/(?:(?:work|farm|root)\b|home/\w)")
    for path in tree.paths:
        for number, line in tree.lines(path):
            if found := path_of_machine.search(line):
                yield f"{path}:{number}: {found[0]} is a path of one machine"


def top_level(tree):
    for entry in sorted({path.partition("/")[0] for path in tree.paths}):
        if entry not in TOP_LEVEL and not entry.startswith("."):
            yield f"{entry}: is no top-level entry of this project"


def version(tree):
    """One version, in the three places that state it."""
    places = {"CMakeLists.txt": r"project\(lockstep\s+VERSION ([\d.]+)", "meson.build": r"version: '([\d.]+)'",
              "framework/lockstep/lockstep.hpp": r'version\(\) noexcept \{ return "([\d.]+)"'}
    found = {path: match[1] if (match := re.search(pattern, tree.text(path))) else "none"
             for path, pattern in places.items()}
    if len(set(found.values())) != 1:
        yield f"versions differ: {found}"


RULES = [mirror, layers, build_lists, bans, sizes, unfinished, headers, snippets, proofs, machine_paths, top_level,
         version]


def check(root):
    tree = Tree(root)
    return [f"{breach} [{rule.__name__}]" for rule in RULES for breach in rule(tree)]


if __name__ == "__main__":
    breaches = check(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2])
    print(*breaches, f"tidy: {len(breaches)} breaches of {len(RULES)} rules", sep="\n")
    sys.exit(1 if breaches else 0)
