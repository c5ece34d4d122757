#include "tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

namespace lockstep::files {
namespace {

class teller {
 public:
  explicit teller(machine& on) : on_(on) {}

  // `shown` is the name in the text.
  void tell(const std::string& path, const std::string& shown) {
    struct stat is {};
    const int result = on_.calls().fstatat(AT_FDCWD, path.c_str(), &is, AT_SYMLINK_NOFOLLOW);
    if (result < 0) {
      text_ += fmt::format("{}: {}\n", shown, result_text(result));
      return;
    }
    text_ += fmt::format("{}: {}", shown, status_text(is));
    if (S_ISDIR(is.st_mode)) text_ += fmt::format(", {} links", is.st_nlink);
    if (is.st_mtim.tv_sec >= set_times_begin && is.st_mtim.tv_sec < set_times_end) {
      text_ += fmt::format(", of {}", is.st_mtim.tv_sec);
    }
    if (!S_ISDIR(is.st_mode) && is.st_nlink > 1) {
      text_ += fmt::format(", file #{}", files_.emplace(is.st_ino, files_.size() + 1).first->second);
    }
    if (S_ISREG(is.st_mode)) text_ += ": " + content_of(path, is.st_size);
    if (S_ISLNK(is.st_mode)) text_ += ": " + target_of_link(path);
    text_ += "\n";
    if (S_ISDIR(is.st_mode)) tell_entries(path, shown);
  }

  const std::string& text() const noexcept { return text_; }

 private:
  void tell_entries(const std::string& path, const std::string& shown) {
    const int fd = on_.calls().openat(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0) {
      text_ += fmt::format("{}/: {}\n", shown, result_text(fd));
      return;
    }
    std::vector<entry> entries = on_.named(fd, shown).entries();
    on_.calls().close(fd);
    std::sort(entries.begin(), entries.end(), [](const entry& a, const entry& b) { return a.name < b.name; });
    for (const entry& each : entries) {
      if (each.name != "." && each.name != "..") tell(path + "/" + each.name, shown + "/" + each.name);
    }
  }

  std::string content_of(const std::string& path, std::int64_t size) {
    constexpr std::int64_t size_max = 1 << 20;
    if (size > size_max) return "large";
    const int fd = on_.calls().openat(AT_FDCWD, path.c_str(), O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) return result_text(fd);
    std::string bytes(static_cast<std::size_t>(size), '?');
    const std::int64_t result = on_.calls().pread(fd, bytes.data(), bytes.size(), 0);
    on_.calls().close(fd);
    return result == size ? content_text(bytes) : "read " + result_text(result);
  }

  std::string target_of_link(const std::string& path) {
    std::string target(4096, '?');
    const std::int64_t result = on_.calls().readlinkat(AT_FDCWD, path.c_str(), target.data(), target.size());
    if (result >= 0) target.resize(static_cast<std::size_t>(result));
    return result < 0 ? result_text(result) : target;
  }

  machine& on_;
  std::map<std::uint64_t, std::size_t> files_;
  std::string text_;
};

}  // namespace

std::string tree_text(machine& on, const std::string& path) {
  teller to(on);
  to.tell(path, "");
  return to.text();
}

}  // namespace lockstep::files
