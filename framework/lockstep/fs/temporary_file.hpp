// Temporary files: with a name that nobody else has, or with none.
#pragma once

#include <lockstep/fs/file.hpp>
#include <lockstep/runtime/task.hpp>

#include <string>

namespace lockstep {

// A file of which its owner knows the name. It stays when this dies: remove_file() it.
struct [[nodiscard("nobody else knows its name")]] temporary_file {
  file opened;
  std::string path;
};

// Makes a file in that directory, to be read and written, for nobody but its owner (0600). Its name is `prefix` and six
// letters and digits that random_int("name of a temporary file") draws; of names that are taken the next is tried.
// Errors: those of open(); EEXIST after 100 names.
// A cancellation is delivered before the file is made, or at the next await of the caller, who has it then.
// Source: mkstemp(3).
task<temporary_file> create_temporary_file(std::string directory = "/tmp", std::string prefix = "lockstep-",
                                           source where = source::current());

// One without a name, which is gone when it is closed, whatever happens.
// Errors: those of open(); EOPNOTSUPP, where the file system cannot.
// Source: O_TMPFILE of open(2).
LOCKSTEP_AWAIT_IT detail::opening_file open_unnamed_file(std::string directory = "/tmp",
                                                         source where = source::current());

// A directory of its own (0700), in that directory; returns its path. remove_all() it.
// Source: mkdtemp(3).
task<std::string> create_temporary_directory(std::string directory = "/tmp", std::string prefix = "lockstep-",
                                             source where = source::current());

namespace detail {

// The n-th name that is tried, if that was drawn.
std::string temporary_name(const std::string& prefix, std::uint32_t drawn, unsigned attempt);
std::uint32_t draw_temporary_name(const source& where);
constexpr unsigned temporary_names_max = 100;

}  // namespace detail

}  // namespace lockstep
