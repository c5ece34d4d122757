"""Each rule of tidy.py is broken once in a tree that breaks no other, and must say so."""
import pathlib
import tempfile
import textwrap
import unittest

import tidy

CLEAN = {
    "CMakeLists.txt": "project(lockstep\n  VERSION 1.2.3)\n",
    "meson.build": "project('lockstep', version: '1.2.3')\n",
    "framework/CMakeLists.txt": "set(x lockstep/lockstep.hpp lockstep/base/ring.hpp lockstep/base/ring.cpp)\n",
    "framework/meson.build": "x = ['lockstep/lockstep.hpp', 'lockstep/base/ring.hpp', 'lockstep/base/ring.cpp']\n",
    "framework/lockstep/lockstep.hpp": '#pragma once\nversion() noexcept { return "1.2.3"; }\n',
    "framework/lockstep/base/ring.hpp": "// A ring.\n#pragma once\n",
    "framework/lockstep/base/ring.cpp": "#include <lockstep/base/ring.hpp>\n\n#include <vector>\n",
    "selftests/CMakeLists.txt": "test(base base/ring_test.cpp)\n",
    "selftests/meson.build": "base = ['base/ring_test.cpp']\n",
    "selftests/base/ring_test.cpp": "",
    "examples/CMakeLists.txt": "example(01_hello 01_hello.cpp)\n",
    "examples/meson.build": "examples = ['01_hello.cpp']\n",
    "examples/01_hello.cpp": "int main() {\n  // [body]\n  hello();\n  // [/body]\n}\n",
    "examples/01_hello.out": "one\ntwo\nthree\n",
    "README.md": textwrap.dedent("""\
        ```sh
        ./dev test
        ```
        ```cpp file=examples/01_hello.cpp tag=body
        hello();
        ```
        ```text file=examples/01_hello.out part
        two
        three
        ```
        """),
}


def breaches(changes):
    with tempfile.TemporaryDirectory() as root:
        for path, text in (CLEAN | changes).items():
            if text is not None:
                file = pathlib.Path(root, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
        return tidy.check(root)


class TidyTest(unittest.TestCase):
    def breaks(self, expected, changes):
        self.assertEqual(breaches(changes), [expected])

    def in_header(self, expected, line):
        """The breach that one line of code in a header of base is."""
        self.breaks(expected, {"framework/lockstep/base/ring.hpp": f"#pragma once\n{line}\n"})

    def test_a_clean_tree_is_silent(self):
        self.assertEqual(breaches({}), [])

    def test_this_tree_is_where_the_rules_look(self):
        tree = tidy.Tree(pathlib.Path(__file__).parents[2])
        for path in "framework/lockstep/lockstep.hpp", "selftests/tidy/tidy.py", "examples/CMakeLists.txt":
            self.assertIn(path, tree.paths)

    def test_a_header_without_a_test(self):
        self.breaks("framework/lockstep/base/ring.hpp: has no test selftests/base/ring_test.cpp [mirror]",
                    {"selftests/base/ring_test.cpp": None, "selftests/CMakeLists.txt": "", "selftests/meson.build": ""})

    def test_a_test_of_nothing(self):
        self.breaks("selftests/base/heap_test.cpp: tests framework/lockstep/base/heap.hpp, which does not exist [mirror]",
                    {"selftests/base/heap_test.cpp": "",
                     "selftests/CMakeLists.txt": "test(base/ring_test.cpp base/heap_test.cpp)",
                     "selftests/meson.build": "['base/ring_test.cpp', 'base/heap_test.cpp']"})

    def test_a_test_that_only_has_properties(self):
        self.breaks("selftests/base/ring_test.cpp: in no CMakeLists.txt [build_lists]",
                    {"selftests/CMakeLists.txt": "set_source_files_properties(base/ring_test.cpp PROPERTIES X ON)"})

    def test_an_include_from_above(self):
        self.in_header("framework/lockstep/base/ring.hpp: base includes <lockstep/sync/mutex.hpp>, "
                       "which is not in a layer below [layers]", "#include <lockstep/sync/mutex.hpp>")

    def test_an_include_of_the_header_of_everything(self):
        self.in_header("framework/lockstep/base/ring.hpp: base includes <lockstep/lockstep.hpp>, "
                       "which is not in a layer below [layers]", "#include <lockstep/lockstep.hpp>")

    def test_an_include_from_the_same_row(self):
        self.breaks("framework/lockstep/fs/file.cpp: fs includes <lockstep/net/stream.hpp>, "
                    "which is not in a layer below [layers]",
                    {"framework/lockstep/fs/file.cpp": "#include <lockstep/fs/a.hpp>\n#include <lockstep/net/stream.hpp>\n",
                     "framework/CMakeLists.txt": CLEAN["framework/CMakeLists.txt"] + "lockstep/fs/file.cpp",
                     "framework/meson.build": CLEAN["framework/meson.build"] + "'lockstep/fs/file.cpp'"})

    def test_time_sees_choice_and_not_the_reverse(self):
        def including(module, other):
            file = f"lockstep/{module}/x.cpp"
            return breaches({f"framework/{file}": f"#include <lockstep/{module}/x_parts.hpp>\n#include <lockstep/{other}/y.hpp>\n",
                             "framework/CMakeLists.txt": CLEAN["framework/CMakeLists.txt"] + file,
                             "framework/meson.build": CLEAN["framework/meson.build"] + f"'{file}'"})
        self.assertEqual(including("time", "choice"), [])
        self.assertEqual(len(including("choice", "time")), 1)

    def test_a_module_in_no_layer(self):
        self.breaks("framework/lockstep/misc/x.cpp: misc is in no layer [layers]",
                    {"framework/lockstep/misc/x.cpp": "#include <lockstep/misc/y.hpp>\n",
                     "framework/CMakeLists.txt": CLEAN["framework/CMakeLists.txt"] + "lockstep/misc/x.cpp",
                     "framework/meson.build": CLEAN["framework/meson.build"] + "'lockstep/misc/x.cpp'"})

    def test_an_include_of_a_detail_of_another_module(self):
        self.breaks("examples/01_hello.cpp: includes <lockstep/base/detail/x.hpp>, a detail of another module [layers]",
                    {"examples/01_hello.cpp": CLEAN["examples/01_hello.cpp"] + "#include <lockstep/base/detail/x.hpp>\n"})

    def test_a_relative_include(self):
        self.in_header('framework/lockstep/base/ring.hpp: include "hash.hpp" as <lockstep/...> [layers]',
                       '#include "hash.hpp"')

    def test_a_file_in_one_build_only(self):
        self.breaks("examples/01_hello.cpp: in no meson.build [build_lists]", {"examples/meson.build": ""})

    def test_a_file_in_comments_of_a_build_only(self):
        self.breaks("framework/lockstep/base/ring.cpp: in no CMakeLists.txt [build_lists]",
                    {"framework/CMakeLists.txt": "lockstep/lockstep.hpp lockstep/base/ring.hpp # lockstep/base/ring.cpp"})

    def test_a_listed_file_that_is_gone(self):
        self.breaks("selftests/base/old_test.cpp: listed in a CMakeLists.txt, but does not exist [build_lists]",
                    {"selftests/CMakeLists.txt": "test(base base/ring_test.cpp base/old_test.cpp)"})

    def test_bans(self):
        where = "framework/lockstep/base/ring.hpp:2:"
        for line, found in {
            "auto t = std::chrono::steady_clock::now();": "steady_clock reads a real clock",
            "auto t = std::chrono::system_clock::now();": "system_clock::now reads a real clock",
            "std::thread t;": "std::thread makes a thread",
            "std::this_thread::sleep_for(d);": "this_thread::sleep sleeps in real time",
            "std::random_device d;": "random_device draws, and not from the oracle",
            "std::uniform_int_distribution<int> d;": "uniform_int_distribution draws, and not from the oracle",
            "std::shuffle(a, b, g);": "std::shuffle draws, and not from the oracle",
            "std::unordered_map<int, int> m;":
                "unordered_map has an order that differs between runs or libraries",
            "std::map<agent*, int> m;": "std::map<agent* has an order that differs between runs or libraries",
        }.items():
            with self.subTest(line):
                self.in_header(f"{where} {found} [bans]", line)

    def test_a_ban_is_not_about_words_in_comments_and_literals(self):
        self.assertEqual(breaches({"framework/lockstep/base/ring.hpp":
            '#pragma once\n// unlike std::thread\n/* std::thread\n */ auto s = "a \\" std::thread"; std::thread::id t;\n'}), [])

    def test_a_ban_has_its_places(self):
        self.assertEqual(breaches({"selftests/bench/stopwatch.hpp": "#pragma once\nsteady_clock::now();\n"}), [])
        self.breaks("selftests/base/clock.hpp:2: steady_clock reads a real clock [bans]",
                    {"selftests/base/clock.hpp": "#pragma once\nsteady_clock::now();\n"})
        self.breaks("examples/01_hello.cpp:6: this_thread::sleep sleeps in real time [bans]",
                    {"examples/01_hello.cpp": CLEAN["examples/01_hello.cpp"] + "std::this_thread::sleep_for(1s);\n"})

    def test_a_long_file(self):
        self.breaks("examples/long.py: has 601 lines, the limit is 600 [sizes]", {"examples/long.py": "\n" * 601})

    def test_unfinished_work(self):
        word, test = "TO" + "DO", "DISABLED" + "_Sorts"
        self.in_header(f"framework/lockstep/base/ring.hpp:2: {word} without an issue number [unfinished]",
                       f"// {word}: grow")
        self.breaks("selftests/base/ring_test.cpp:1: DISABLED_ without an issue number [unfinished]",
                    {"selftests/base/ring_test.cpp": f"TEST(Ring, {test}) {{}}\n"})
        self.assertEqual(breaches({"selftests/base/ring_test.cpp": f"TEST(Ring, {test}) {{}}  // issue 7\n"}), [])

    def test_a_header_without_pragma_once(self):
        self.breaks("framework/lockstep/base/ring.hpp: does not begin with #pragma once [headers]",
                    {"framework/lockstep/base/ring.hpp": "#include <vector>\n#pragma once\n"})

    def test_a_source_whose_own_header_is_not_first(self):
        self.breaks("framework/lockstep/base/ring.cpp: includes <vector> first, not <lockstep/base/ring.hpp [headers]",
                    {"framework/lockstep/base/ring.cpp": "#include <vector>\n#include <lockstep/base/ring.hpp>\n"})

    def test_a_snippet_that_departed_from_its_file(self):
        body = "```cpp file=examples/01_hello.cpp tag=body\n"
        self.breaks("README.md:1: is not what examples/01_hello.cpp says [snippets]",
                    {"README.md": f"{body}hallo();\n```\n"})
        self.breaks("docs/a.md:2: is not what examples/01_hello.out says [snippets]",
                    {"docs/a.md": "\n```text file=examples/01_hello.out\none\ntwo\n```\n"})
        self.breaks("docs/a.md:1: is not what examples/01_hello.out says [snippets]",
                    {"docs/a.md": "```text file=examples/01_hello.out part\none\nthree\n```\n"})

    def test_a_snippet_of_no_file(self):
        self.breaks("README.md:1: C++ without file=, so nothing compiles it [snippets]",
                    {"README.md": "```cpp\nhello();\n```\n"})
        self.breaks("README.md:1: examples/gone.cpp does not exist [snippets]",
                    {"README.md": "```cpp file=examples/gone.cpp\nhello();\n```\n"})

    def test_a_row_of_a_reference_without_its_proof(self):
        tests = {"selftests/base/ring_test.cpp": "TEST(RingTest, GrowsByItself) {}\n"}
        head = "| Name | Test |\n|---|---|\n"
        row = "| `ring` | `ring_test.cpp`: `GrowsByItself` |\n"
        self.assertEqual(breaches(tests | {"docs/reference/table.md": head + row}), [])
        self.breaks("docs/reference/table.md:4: ShrinksByItself is no test in ring_test.cpp [proofs]",
                    tests | {"docs/reference/table.md": head + row + row.replace("Grows", "Shrinks")})
        self.breaks("docs/reference/table.md:3: GrowsByItself is no test in any file that is named before [proofs]",
                    tests | {"docs/reference/table.md": head + "| `ring` | `GrowsByItself` |\n"})
        self.breaks("docs/reference/table.md:3: has an empty cell [proofs]",
                    tests | {"docs/reference/table.md": head + "| `ring` | |\n"})

    def test_a_path_of_a_machine(self):
        path = "/" + "home/me/src"
        self.breaks(f"README.md:1: {path[:7]} is a path of one machine [machine_paths]", {"README.md": f"cd {path}\n"})

    def test_an_entry_too_many(self):
        self.breaks("scripts: is no top-level entry of this project [top_level]", {"scripts/x.sh": ""})

    def test_versions_that_differ(self):
        self.breaks("versions differ: {'CMakeLists.txt': '1.2.3', 'meson.build': '1.2.4', "
                    "'framework/lockstep/lockstep.hpp': '1.2.3'} [version]",
                    {"meson.build": "project('lockstep', version: '1.2.4')\n"})


if __name__ == "__main__":
    unittest.main()
