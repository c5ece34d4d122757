"""Builds and runs each consumer in this folder: run.py CMAKE_BUILD MESON_BUILD.

The two build folders are of this source tree; what they install, and the source itself, is what is consumed. A consumer
is a production program, which must hold nothing of GoogleTest, one on the operating system with HTTP, and a test program
with a mock of HTTP. Those that build the library do so with many sources at once, as some users do: it takes less time, and
the sources must get on with each other. The programs of one are optimized, as those of no other test are.
"""
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[2]
CMAKE_BUILD, MESON_BUILD = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
SCRATCH = CMAKE_BUILD.parent / "consumers"
CONSUMERS = SCRATCH / "source"
AT_ONCE = 40  # sources
UNITY = ["CMAKE_UNITY_BUILD=ON", f"CMAKE_UNITY_BUILD_BATCH_SIZE={AT_ONCE}"]
CMAKE_PREFIX, MESON_PREFIX = SCRATCH / "installed_by_cmake", SCRATCH / "installed_by_meson"


def call(*command, cwd=None, **environment):
    run = subprocess.run([str(word) for word in command], cwd=cwd, env=os.environ | environment,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if run.returncode != 0:
        raise RuntimeError(f"consumers: {' '.join(map(str, command))}\n{run.stdout}")
    return run.stdout


def check(build, with_tests=True):
    print(f"consumers: {build.name}: {call(build / 'app').strip()}", flush=True)
    if "7testing" in call("nm", build / "app"):  # the mangled name of its namespace
        raise RuntimeError(f"consumers: {build.name}: the production program holds GoogleTest")
    call(build / "app_real")
    if with_tests:
        call(build / "app_test")


def cmake(name, *definitions, folder=None, with_tests=True):
    build = SCRATCH / name
    call("cmake", "-G", "Ninja", "-S", CONSUMERS / (folder or name), "-B", build,
         *(f"-D{definition}" for definition in definitions))
    call("cmake", "--build", build)
    check(build, with_tests)


def meson(name):
    build = SCRATCH / name
    call("meson", "setup", "--wrap-mode=nodownload", "--buildtype=plain", "--unity=subprojects",
         f"-Dunity_size={AT_ONCE}", build, CONSUMERS / name)
    call("meson", "compile", "-C", build)
    check(build)


def pkg_config(name, prefix):
    build = SCRATCH / name
    build.mkdir()
    folders = ":".join(str(file.parent) for file in prefix.rglob("lockstep.pc"))
    call("./build.sh", build, cwd=CONSUMERS / "pkg_config", PKG_CONFIG_PATH=folders)
    check(build)


shutil.rmtree(SCRATCH, ignore_errors=True)
shutil.copytree(pathlib.Path(__file__).parent, CONSUMERS)
(CONSUMERS / "meson_subproject/subprojects").mkdir()
(CONSUMERS / "meson_subproject/subprojects/lockstep").symlink_to(SOURCE)
if shutil.which("ccache"):
    os.environ["CMAKE_CXX_COMPILER_LAUNCHER"] = "ccache"
    os.environ["CCACHE_BASEDIR"] = str(SCRATCH)  # the builds of two consumers have the same names then

call("cmake", "--install", CMAKE_BUILD, "--prefix", CMAKE_PREFIX)
call("meson", "install", "-C", MESON_BUILD, DESTDIR=str(MESON_PREFIX))



def those_that_build_the_library_with_cmake():
    """One after the other, as the second finds in the cache what the first has compiled."""
    cmake("add_subdirectory", f"LOCKSTEP={SOURCE}", *UNITY)
    cmake("fetch_content", f"FETCHCONTENT_SOURCE_DIR_LOCKSTEP={SOURCE}", *UNITY)


CONSUMPTIONS = [
    lambda: meson("meson_subproject"),
    those_that_build_the_library_with_cmake,
    lambda: cmake("find_package", f"CMAKE_PREFIX_PATH={CMAKE_PREFIX}"),
    lambda: cmake("find_package_without_gtest", f"CMAKE_PREFIX_PATH={CMAKE_PREFIX}",
                  "CMAKE_DISABLE_FIND_PACKAGE_GTest=ON", folder="find_package", with_tests=False),
    lambda: pkg_config("pkg_config_of_cmake", CMAKE_PREFIX),
    lambda: pkg_config("pkg_config_of_meson", MESON_PREFIX),
]
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    running = [pool.submit(consumption) for consumption in CONSUMPTIONS]
    failed = [str(each.exception()) for each in running if each.exception() is not None]
sys.exit("\n".join(failed) or None)
