#include "resume_file.hpp"

#include <lockstep/fs/paths.hpp>
#include <lockstep/fs/whole_files.hpp>

#include <fmt/format.h>

#include <charconv>
#include <stdexcept>
#include <utility>

namespace crawling {

namespace {

// Whether it begins with that, which then goes.
bool take(std::string_view& line, std::string_view word) {
  if (!line.starts_with(word)) return false;
  line.remove_prefix(word.size());
  return true;
}

class progress_reader {
 public:
  crawl_progress read(std::string_view text) {
    for (int number = 1; !ended_; ++number) {
      const std::size_t end = text.find('\n');
      if (end == std::string_view::npos) throw std::runtime_error(fmt::format("it ends in line {}", number));
      if (!understands(text.substr(0, end))) throw std::runtime_error(fmt::format("line {} makes no sense", number));
      text.remove_prefix(end + 1);
    }
    return std::move(read_);
  }

 private:
  bool understands(std::string_view line) {
    if (take(line, "crawl from ")) {
      read_.start = line;
    } else if (take(line, "page ")) {
      links_ = &read_.pages[std::string(line)];
    } else if (links_ != nullptr && take(line, "  ")) {
      links_->emplace_back(line);
    } else if (take(line, "missing ")) {
      read_.missing.emplace(line);
    } else if (take(line, "to fetch ")) {
      read_.to_fetch.emplace(line);
    } else if (take(line, "links outside ")) {
      const char* const end = line.data() + line.size();
      const auto [behind, error] = std::from_chars(line.data(), end, read_.links_outside);
      return error == std::errc() && behind == end;
    } else {
      ended_ = line == "end";
      return ended_;
    }
    return true;
  }

  crawl_progress read_;
  std::vector<std::string>* links_ = nullptr;  // of the page that came last
  bool ended_ = false;
};

}  // namespace

std::string text_of(const crawl_progress& progress) {
  std::string text = fmt::format("crawl from {}\nlinks outside {}\n", progress.start, progress.links_outside);
  for (const auto& [page, links] : progress.pages) {
    text += "page " + page + "\n";
    for (const std::string& link : links) text += "  " + link + "\n";
  }
  for (const std::string& page : progress.missing) text += "missing " + page + "\n";
  for (const std::string& page : progress.to_fetch) text += "to fetch " + page + "\n";
  return text + "end\n";
}

crawl_progress progress_in(std::string_view text) { return progress_reader().read(text); }

// [save]
lockstep::task<void> save(std::string path, crawl_progress progress, saving how) {
  if (how == saving::atomically) {
    co_await lockstep::write_file_atomically(path, text_of(progress));
  } else {
    co_await lockstep::write_file(path + ".new", text_of(progress));
    co_await lockstep::rename_file(path + ".new", path);
  }
}
// [/save]

lockstep::task<crawl_progress> load(std::string path, std::string start) {
  crawl_progress loaded;
  if (co_await lockstep::exists(path)) {
    try {
      loaded = progress_in(co_await lockstep::read_file(path));
    } catch (const std::system_error&) {
      throw;
    } catch (const std::runtime_error& wrong) {
      throw std::runtime_error(fmt::format("{} is no resume file: {}", path, wrong.what()));
    }
    if (loaded.start != start) {
      throw std::runtime_error(fmt::format("{} is of a crawl from {}, not from {}", path, loaded.start, start));
    }
  } else {
    loaded.start = start;
    loaded.to_fetch.insert(std::move(start));
  }
  co_return loaded;
}

}  // namespace crawling
