// The part of machine and descriptor that is about inotify.
#include "machine.hpp"

#include "../sim/watch_events.hpp"

#include <fmt/format.h>
#include <sys/inotify.h>

#include <algorithm>
#include <cerrno>

namespace lockstep::files {
namespace {

std::string inotify_events_text(std::uint32_t events) {
  static constexpr std::pair<std::uint32_t, const char*> names[] = {{IN_ACCESS, "ACCESS"},
                                                                    {IN_MODIFY, "MODIFY"},
                                                                    {IN_ATTRIB, "ATTRIB"},
                                                                    {IN_CLOSE_WRITE, "CLOSE_WRITE"},
                                                                    {IN_CLOSE_NOWRITE, "CLOSE_NOWRITE"},
                                                                    {IN_OPEN, "OPEN"},
                                                                    {IN_MOVED_FROM, "MOVED_FROM"},
                                                                    {IN_MOVED_TO, "MOVED_TO"},
                                                                    {IN_CREATE, "CREATE"},
                                                                    {IN_DELETE, "DELETE"},
                                                                    {IN_DELETE_SELF, "DELETE_SELF"},
                                                                    {IN_MOVE_SELF, "MOVE_SELF"},
                                                                    {IN_UNMOUNT, "UNMOUNT"},
                                                                    {IN_Q_OVERFLOW, "Q_OVERFLOW"},
                                                                    {IN_IGNORED, "IGNORED"},
                                                                    {IN_ISDIR, "ISDIR"}};
  if (events == IN_ALL_EVENTS) return "ALL_EVENTS";
  std::string text;
  for (const auto& [bit, name] : names) {
    if ((events & bit) == 0) continue;
    text += (text.empty() ? "" : "|") + std::string(name);
    events &= ~bit;
  }
  static constexpr std::pair<std::uint32_t, const char*> ways[] = {
      {IN_ONLYDIR, "ONLYDIR"},         {IN_DONT_FOLLOW, "DONT_FOLLOW"}, {IN_EXCL_UNLINK, "EXCL_UNLINK"},
      {IN_MASK_CREATE, "MASK_CREATE"}, {IN_MASK_ADD, "MASK_ADD"},       {IN_ONESHOT, "ONESHOT"}};
  for (const auto& [bit, name] : ways) {
    if ((events & bit) != 0) text += (text.empty() ? "" : "|") + std::string(name);
  }
  return text.empty() ? "0" : text;
}

}  // namespace

// Watches are numbered by the kernel; the transcript has the paths that they were added for first.
int machine::watch(const descriptor& inotify, const std::string& path, std::uint32_t events) {
  const int result = calls().inotify_add_watch(inotify.number(), path.c_str(), events);
  std::string text = result < 0 ? result_text(result) : "a new watch";
  if (result >= 0) {
    const auto same = [&](const known_watch& each) { return each.inotify == inotify.number() && each.watch == result; };
    const auto known = std::find_if(watched_.begin(), watched_.end(), same);
    if (known != watched_.end()) {
      text = "that of " + known->path;
    } else {
      watched_.push_back({inotify.number(), result, text_of(path)});
    }
  }
  says(fmt::format("{} add {} {}", inotify.name(), text_of(path), inotify_events_text(events)), text);
  return result;
}

const std::string& machine::watched(const descriptor& inotify, int watch) const {
  static const std::string none = "nobody";
  const auto same = [&](const known_watch& each) { return each.inotify == inotify.number() && each.watch == watch; };
  const auto found = std::find_if(watched_.begin(), watched_.end(), same);
  return found == watched_.end() ? none : found->path;
}

std::string machine::cookie_text(std::uint32_t cookie) {
  if (cookie == 0) return "";
  auto found = std::find(cookies_.begin(), cookies_.end(), cookie);
  if (found == cookies_.end()) found = cookies_.insert(found, cookie);
  return fmt::format(" #{}", found - cookies_.begin() + 1);
}

void descriptor::events() {
  std::vector<char> records(8192);
  std::string text;
  for (;;) {
    const std::int64_t size = calls().read(number_, records.data(), records.size());
    if (size == -EAGAIN) break;
    if (size <= 0) on_->ends(name_ + " read: " + result_text(size));
    for (const watch_event& each : events_in({records.data(), static_cast<std::size_t>(size)})) {
      std::string name = each.name.empty() ? "" : " " + each.name;
      // What has no name has its inode's number for one.
      if (name.compare(0, 2, " #") == 0) name = " #inode";
      text += fmt::format("{}{}: {}{}{}", text.empty() ? "" : ", ", on_->watched(*this, each.watch),
                          inotify_events_text(each.mask), name, on_->cookie_text(each.cookie));
    }
  }
  on_->says(name_ + " events", text.empty() ? "none" : text);
}

}  // namespace lockstep::files
